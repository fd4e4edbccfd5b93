import type { Role } from './roles.ts';

/**
 * Names by which mail programs and servers have called their mailboxes in many languages. Compared after `folded`:
 * lower case, one space for spaces, hyphens and underscores. Earlier names of a role win over later ones.
 */
export const mailboxNames: Readonly<
  Record<Exclude<Role, 'inbox' | 'memos' | 'scheduled' | 'snoozed'>, readonly string[]>
> = {
  drafts: [
    'drafts',
    'draft',
    'draft messages',
    'entwürfe', // de
    'entwurf',
    'brouillons', // fr
    'brouillon',
    'borradores', // es
    'borrador',
    'esborranys', // ca
    'bozze', // it
    'rascunhos', // pt
    'rascunho',
    'concepten', // nl
    'utkast', // sv, nb
    'kladder', // da
    'kladde',
    'udkast',
    'luonnokset', // fi
    'drög', // is
    'kopie robocze', // pl
    'szkice',
    'koncepty', // cs
    'rozepsané',
    'rozpísané', // sk
    'piszkozatok', // hu
    'ciorne', // ro
    'osnutki', // sl
    'skice', // hr
    'nacrti',
    'πρόχειρα', // el
    'черновики', // ru
    'чернетки', // uk
    'чернови', // bg
    'нацрти', // sr
    'mustandid', // et
    'melnraksti', // lv
    'juodraščiai', // lt
    'taslaklar', // tr
    'taslak',
    'draf', // id
    'thư nháp', // vi
    'แบบร่าง', // th
    '草稿', // zh
    '草稿箱',
    '草稿夹',
    '下書き', // ja
    '임시 보관함', // ko
    '임시보관함',
    'טיוטות', // he
    'المسودات', // ar
    'مسودات',
    'پیش‌نویس‌ها', // fa
  ],
  sent: [
    'sent',
    'sent mail',
    'sent items',
    'sent messages',
    'sent objects',
    'outbox sent',
    'gesendet', // de
    'gesendete objekte',
    'gesendete elemente',
    'gesendete nachrichten',
    'postausgang gesendet',
    'envoyés', // fr
    'éléments envoyés',
    'messages envoyés',
    'courrier envoyé',
    'enviados', // es, pt
    'elementos enviados',
    'mensajes enviados',
    'correo enviado',
    'itens enviados',
    'mensagens enviadas',
    'e mails enviados',
    'enviats', // ca
    'elements enviats',
    'inviata', // it
    'inviati',
    'posta inviata',
    'posta inviate',
    'elementi inviati',
    'messaggi inviati',
    'verzonden', // nl
    'verzonden items',
    'verzonden berichten',
    'verzonden e mail',
    'skickat', // sv
    'skickade',
    'skickade objekt',
    'skickade meddelanden',
    'sendt', // da, nb
    'sendte',
    'sendt post',
    'sendte elementer',
    'sendte e mails',
    'sendte meldinger',
    'lähetetyt', // fi
    'lähetetyt viestit',
    'sendir hlutir', // is
    'sent póstur',
    'wysłane', // pl
    'elementy wysłane',
    'wiadomości wysłane',
    'odeslané', // cs
    'odeslaná pošta',
    'odeslaná',
    'odoslané', // sk
    'odoslaná pošta',
    'elküldött', // hu
    'elküldött elemek',
    'elküldött üzenetek',
    'trimise', // ro
    'elemente trimise',
    'mesaje trimise',
    'poslano', // sl, hr
    'poslana pošta',
    'απεσταλμένα', // el
    'σταλθέντα',
    'отправленные', // ru
    'отправленная почта',
    'исходящие отправленные',
    'надіслані', // uk
    'відправлені',
    'надіслані листи',
    'изпратени', // bg
    'послато', // sr
    'saadetud', // et
    'saadetud kirjad',
    'nosūtītie', // lv
    'nosūtītās vēstules',
    'išsiųsti', // lt
    'išsiųsti laiškai',
    'gönderilmiş', // tr
    'gönderilmiş öğeler',
    'gönderilenler',
    'gönderilmiş postalar',
    'gönderilen',
    'terkirim', // id
    'thư đã gửi', // vi
    'đã gửi',
    'ส่งแล้ว', // th
    'จดหมายที่ส่ง',
    '已发送', // zh
    '已发送邮件',
    '已傳送',
    '寄件備份',
    '寄件備份匣',
    '送信済み', // ja
    '送信済みアイテム',
    '送信済みメール',
    '보낸 편지함', // ko
    '보낸편지함',
    '보낸 메일함',
    '보낸메일함',
    'נשלח', // he
    'דואר יוצא שנשלח',
    'פריטים שנשלחו',
    'المرسلة', // ar
    'البريد المرسل',
    'العناصر المرسلة',
    'ارسال‌شده', // fa
  ],
  trash: [
    'trash',
    'deleted',
    'deleted items',
    'deleted messages',
    'bin',
    'rubbish',
    'wastebasket',
    'papierkorb', // de
    'gelöscht',
    'gelöschte objekte',
    'gelöschte elemente',
    'gelöschte nachrichten',
    'corbeille', // fr
    'éléments supprimés',
    'messages supprimés',
    'poubelle',
    'papelera', // es
    'papelera de reciclaje',
    'elementos eliminados',
    'mensajes eliminados',
    'eliminados',
    'paperera', // ca
    'elements suprimits',
    'cestino', // it
    'posta eliminata',
    'elementi eliminati',
    'messaggi eliminati',
    'eliminata',
    'lixeira', // pt
    'lixo', // pt
    'itens excluídos',
    'itens eliminados',
    'mensagens excluídas',
    'prullenbak', // nl
    'prullenmand',
    'verwijderde items',
    'verwijderde berichten',
    'papperskorg', // sv
    'papperskorgen',
    'borttaget',
    'borttagna objekt',
    'papirkurv', // da, nb
    'papirkurven',
    'søppel',
    'slettet post',
    'slettede elementer',
    'slettede meldinger',
    'roskakori', // fi
    'poistetut',
    'poistetut viestit',
    'rusl', // is
    'kosz', // pl
    'elementy usunięte',
    'usunięte',
    'koš', // cs, sl
    'odstraněná pošta',
    'odstraněné',
    'kôš', // sk
    'odstránená pošta',
    'lomtár', // hu
    'kuka',
    'törölt elemek',
    'coș de gunoi', // ro
    'coş de gunoi',
    'gunoi',
    'elemente șterse',
    'smetnjak', // sl
    'smeće', // hr
    'otpad',
    'κάδος', // el
    'κάδος απορριμμάτων',
    'διαγραμμένα',
    'корзина', // ru
    'удаленные',
    'удалённые',
    'кошик', // uk
    'видалені',
    'кошче', // bg
    'изтрити',
    'отпад', // sr
    'смеће',
    'prügikast', // et
    'kustutatud',
    'miskaste', // lv
    'atkritne',
    'šiukšlinė', // lt
    'šiukšliadėžė',
    'çöp', // tr
    'çöp kutusu',
    'çöp sepeti',
    'silinmiş öğeler',
    'silinenler',
    'sampah', // id
    'thùng rác', // vi
    'ถังขยะ', // th
    '已删除', // zh
    '已删除邮件',
    '废件箱',
    '垃圾箱',
    '垃圾桶',
    '刪除的郵件',
    '已刪除的郵件',
    'ゴミ箱', // ja
    'ごみ箱',
    '削除済みアイテム',
    '휴지통', // ko
    '지운 편지함',
    '지운편지함',
    'אשפה', // he
    'פריטים שנמחקו',
    'سلة المهملات', // ar
    'المهملات',
    'العناصر المحذوفة',
    'زباله‌دان', // fa
  ],
  junk: [
    'junk',
    'spam',
    'junk mail',
    'junk e mail',
    'junk email',
    'bulk',
    'bulk mail',
    'spam mail',
    'spamverdacht', // de
    'spam verdacht',
    'werbung',
    'unerwünscht',
    'courrier indésirable', // fr
    'indésirables',
    'pourriel',
    'pourriels',
    'correo no deseado', // es
    'correo basura',
    'no deseado',
    'correu brossa', // ca
    'posta indesiderata', // it
    'indesiderata',
    'indesiderati',
    'spazzatura',
    'lixo eletrônico', // pt
    'lixo eletrónico',
    'correio eletrônico não solicitado',
    'não solicitado',
    'ongewenst', // nl
    'ongewenste e mail',
    'ongewenste mail',
    'skräp', // sv
    'skräppost',
    'uønsket mail', // da
    'uønsket e mail',
    'uønsket post',
    'søppelpost', // nb
    'useløs e post',
    'roskaposti', // fi
    'ruslpóstur', // is
    'niechciane', // pl
    'wiadomości śmieci',
    'wiadomości niechciane',
    'nevyžádaná pošta', // cs
    'nevyžádané',
    'nevyžiadaná pošta', // sk
    'levélszemét', // hu
    'mesaje nedorite', // ro
    'nezaželeno', // sl
    'nezaželena pošta',
    'neželjena pošta', // hr
    'ανεπιθύμητα', // el
    'ανεπιθύμητη αλληλογραφία',
    'спам', // ru, uk, bg
    'нежелательная почта',
    'небажана пошта', // uk
    'небажані',
    'нежелана поща', // bg
    'нежељена пошта', // sr
    'непожељно',
    'rämpspost', // et
    'mēstules', // lv
    'nevēlamais pasts',
    'brukalas', // lt
    'önemsiz', // tr
    'önemsiz e posta',
    'gereksiz',
    'istenmeyen',
    'thư rác', // vi
    'จดหมายขยะ', // th
    'อีเมลขยะ',
    '垃圾邮件', // zh
    '垃圾郵件',
    '迷惑メール', // ja
    '스팸', // ko
    '스팸편지함',
    '스팸메일함',
    '정크 메일',
    '정크 메일함',
    'דואר זבל', // he
    'ספאם',
    'البريد العشوائي', // ar
    'بريد غير هام',
    'هرزنامه', // fa
  ],
  archive: [
    'archive',
    'archives',
    'archived',
    'archiv', // de, cs
    'arxiu', // ca
    'archivo', // es
    'archivio', // it
    'arquivo', // pt
    'arquivados',
    'archief', // nl
    'arkiv', // sv, da, nb
    'arkisto', // fi
    'archiwum', // pl
    'archív', // sk
    'archívum', // hu
    'arhivă', // ro
    'arhiv', // sl
    'arhiva', // hr
    'αρχείο', // el
    'архив', // ru, bg
    'архів', // uk
    'архива', // sr
    'arhiiv', // et
    'arhīvs', // lv
    'archyvas', // lt
    'arşiv', // tr
    'arsip', // id
    'lưu trữ', // vi
    'เก็บถาวร', // th
    '归档', // zh
    '存档',
    '封存',
    'アーカイブ', // ja
    '보관함', // ko
    'ארכיון', // he
    'أرشيف', // ar
    'الأرشيف',
    'بایگانی', // fa
  ],
};
