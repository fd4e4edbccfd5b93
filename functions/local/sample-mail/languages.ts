import type { Letter, Person } from './letter.ts';
import { filePart, multipart, type TextOptions, textPart } from './mime.ts';
import { seenFlags, type World } from './world.ts';

interface ForeignLetter {
  readonly from: Person;
  readonly subject: string;
  readonly text: string;
  readonly charset: string;
  readonly encoding: NonNullable<TextOptions['encoding']>;
  /** Encoded words; the charset is that of the text. */
  readonly header: 'B' | 'Q';
  /** A text file with a name in the same script. */
  readonly file?: string;
}

/** Mail from all over the world, in the charsets that its writers use. */
export function foreignLetters(world: World): Letter[] {
  return letters.map(({ from, subject, text, charset, encoding, header, file }, index) => {
    const date = world.daysAgo(index * 11 + 2);
    const body = textPart(text, { charset, encoding });
    const attached = file && filePart({ type: 'text/plain', name: file, bytes: Buffer.from(`${text}\n`) });
    return {
      mailbox: index < 4 ? ['INBOX'] : ['Penpals', '世界の友だち'],
      flags: seenFlags(world, date),
      date,
      from,
      to: [world.owner],
      subject,
      messageId: world.messageId(from),
      headerStyle: { charset, encoding: header },
      content: attached ? multipart('mixed', [body, attached]) : body,
    };
  });
}

const letters: readonly ForeignLetter[] = [
  {
    from: { name: '森本 美咲', email: 'misaki@example.net', zoneMinutes: 540 },
    subject: '写真をありがとう',
    text: 'こんにちは。\n\n読書室の写真をありがとうございます。窓ぎわの長い机がとても気に入りました。\n来月の集まりで皆に見せてもいいですか。\n\n美咲\n',
    charset: 'iso-2022-jp',
    encoding: '7bit',
    header: 'B',
    file: '集まりの予定.txt',
  },
  {
    from: { name: 'Дарья Соколова', email: 'darya@example.net', zoneMinutes: 180 },
    subject: 'Рецепт пирога с яблоками',
    text: 'Привет!\n\nПосылаю обещанный рецепт: яблоки, мука, два яйца и немного терпения.\nГлавное - не открывать духовку раньше времени.\n\nДаша\n',
    charset: 'koi8-r',
    encoding: '8bit',
    header: 'B',
  },
  {
    from: { name: '陈晓雨', email: 'xiaoyu@example.com', zoneMinutes: 480 },
    subject: '关于图书捐赠的问题',
    text: '您好：\n\n我们有三箱中文图书想捐给阅览室，请问什么时候方便送过去？\n\n祝好\n晓雨\n',
    charset: 'gb18030',
    encoding: 'base64',
    header: 'B',
    file: '图书目录.txt',
  },
  {
    from: { name: 'ليلى حداد', email: 'layla@example.net', zoneMinutes: 180 },
    subject: 'موعد القراءة يوم الخميس',
    text: 'مرحباً،\n\nهل ما زال موعد القراءة يوم الخميس في الساعة السادسة؟ سأحضر معي بعض القصص القصيرة.\n\nمع التحية\nليلى\n',
    charset: 'utf-8',
    encoding: 'base64',
    header: 'B',
    file: 'قصص.txt',
  },
  {
    from: { name: 'Иван Тодоров', email: 'ivan@example.com', zoneMinutes: 120 },
    subject: 'Снимки от планината',
    text: 'Здравей,\n\nкачих снимките от езерото. Времето беше чудесно, само вятърът на билото беше силен.\n\nИван\n',
    charset: 'windows-1251',
    encoding: 'quoted-printable',
    header: 'Q',
  },
  {
    from: { name: 'अनन्या जोशी', email: 'ananya@example.org', zoneMinutes: 330 },
    subject: 'बच्चों के कोने के लिए किताबें',
    text: 'नमस्ते,\n\nमैंने बच्चों के कोने के लिए बीस किताबें चुनी हैं। सूची साथ में भेज रही हूँ।\n\nअनन्या\n',
    charset: 'utf-8',
    encoding: 'base64',
    header: 'B',
  },
  {
    from: { name: 'ณัฐพร ศรีสุข', email: 'nattaporn@example.net', zoneMinutes: 420 },
    subject: 'ขอบคุณสำหรับโปสการ์ด',
    text: 'สวัสดีค่ะ\n\nได้รับโปสการ์ดแล้ว สวยมากเลย ฉันติดไว้ข้างหน้าต่าง\n\nณัฐพร\n',
    charset: 'utf-8',
    encoding: 'quoted-printable',
    header: 'Q',
  },
  {
    from: { name: '김하늘', email: 'haneul@example.com', zoneMinutes: 540 },
    subject: '다음 주 온라인 모임',
    text: '안녕하세요,\n\n다음 주 수요일 저녁 여덟 시에 온라인으로 만나면 어떨까요?\n\n하늘 드림\n',
    charset: 'euc-kr',
    encoding: 'base64',
    header: 'B',
  },
  {
    from: { name: 'Ελένη Παππά', email: 'eleni@example.net', zoneMinutes: 120 },
    subject: 'Τα εισιτήρια για το θέατρο',
    text: 'Γεια σου,\n\nβρήκα τέσσερα εισιτήρια για το Σάββατο. Θα έρθετε;\n\nΕλένη\n',
    charset: 'iso-8859-7',
    encoding: 'quoted-printable',
    header: 'Q',
  },
  {
    from: { name: 'Björn Ångström-Öberg', email: 'bjorn@example.org' },
    subject: 'Köp av gräsklippare – är den såld?',
    text: 'Hej!\n\nJag såg lappen på anslagstavlan. Är gräsklipparen kvar? Jag kan hämta den på lördag.\n\nBjörn\n',
    charset: 'windows-1252',
    encoding: '8bit',
    header: 'Q',
  },
  {
    from: { name: 'נועה ברק', email: 'noa@example.com', zoneMinutes: 120 },
    subject: 'המתכון שביקשת',
    text: 'שלום,\n\nהנה המתכון של סבתא. לא לשכוח את הלימון!\n\nנועה\n',
    charset: 'iso-8859-8',
    encoding: 'base64',
    header: 'B',
  },
  {
    from: { name: '林佳蓉', email: 'jiarong@example.net', zoneMinutes: 480 },
    subject: '明信片收到了',
    text: '你好：\n\n明信片收到了，謝謝！山上的照片真美。\n\n佳蓉\n',
    charset: 'big5',
    encoding: 'base64',
    header: 'B',
  },
  {
    from: { name: 'Nguyễn Thị Hạnh', email: 'hanh@example.org', zoneMinutes: 420 },
    subject: 'Sách cho phòng đọc 📚',
    text: 'Chào bạn,\n\nmình gửi tặng phòng đọc mười cuốn sách tiếng Việt. Hẹn gặp ở buổi khai trương! 🎉\n\nHạnh\n',
    charset: 'utf-8',
    encoding: '8bit',
    header: 'B',
  },
];
