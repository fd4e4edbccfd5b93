import type { Conversation } from './conversation.ts';
import { pdfFile, pngFile, zipFile } from './files.ts';
import { filePart } from './mime.ts';

/** Conversations that were written, not generated: what somebody opens first. */
export const stories: readonly Conversation[] = [
  {
    subject: 'Apollo: first sketches of the reading room',
    mailbox: ['Projects', 'Apollo', 'Design'],
    startsDaysAgo: 212,
    pauseHoursMax: 40,
    circle: ['mira', 'priya', 'tomas'],
    turns: [
      {
        who: 'mira',
        text: 'Here are the first sketches for the reading room. I kept the long table by the window, because everybody I asked wanted to sit there.\n\nThe lamps are only an idea so far. Tell me what you think, and be honest: it is still cheap to change.',
        files: [
          filePart({
            type: 'image/png',
            name: 'reading-room-day.png',
            bytes: pngFile(240, 160, [236, 224, 200], [122, 140, 150]),
          }),
          filePart({
            type: 'image/png',
            name: 'reading-room-evening.png',
            bytes: pngFile(240, 160, [40, 44, 82], [214, 140, 80]),
          }),
        ],
        flags: ['\\Flagged'],
      },
      {
        who: 'priya',
        text: 'I love the table. Is there room for a wheelchair on the window side? From the drawing I cannot tell.',
      },
      {
        who: 'owner',
        text: 'Good point, Priya. The aisle is 90 cm in the plan, it should be 120.\n\nMira, could you move the shelves back by one module?',
      },
      { who: 'mira', text: 'Yes, that works if we lose the low bench. Nobody will miss it, I think.' },
      {
        who: 'tomas',
        text: 'The bench hides the heating pipe. We can box the pipe in instead, I will ask for a price.',
      },
      {
        who: 'mira',
        text: 'Second round attached, with 125 cm everywhere and the pipe boxed in.',
        files: [
          filePart({
            type: 'application/pdf',
            name: 'Reading room, round 2.pdf',
            bytes: pdfFile('Reading room, round 2', ['Aisle: 125 cm', 'Bench: removed', 'Pipe: boxed in, oak']),
          }),
        ],
      },
      { who: 'priya', text: 'Perfect. From my side this can go to the client.' },
      { who: 'owner', text: 'Then it goes to the client on Monday. Thank you all, this came together nicely.' },
    ],
  },
  {
    subject: 'Harbour: who opens the gate on Saturdays?',
    mailbox: ['Projects', 'Harbour'],
    startsDaysAgo: 96,
    pauseHoursMax: 30,
    circle: ['jonas', 'elif', 'zoe'],
    turns: [
      {
        who: 'jonas',
        text: 'The carpenters want to work on Saturdays in May, but the gate is locked from Friday evening. Who can open it at seven?',
      },
      {
        who: 'elif',
        text: 'The harbour office can, if we write to them by Wednesday each week. They charge 40 euros for it.',
      },
      { who: 'owner', text: 'Could we have a key for May instead? I would sign for it.' },
      {
        who: 'elif',
        text: 'I asked. They give one key against a deposit of 200 euros, and the key must not leave the site.',
      },
      {
        who: 'zoe',
        text: 'I can keep it in the site office. There is a locked drawer, and I am there from half past six anyway.',
      },
      { who: 'jonas', text: 'Thank you Zoë! Then the carpenters start this Saturday.' },
      {
        who: 'owner',
        text: 'Deposit is paid. Form attached for your files.',
        files: [
          filePart({
            type: 'application/pdf',
            name: 'Schlüsselübergabe Hafen.pdf',
            bytes: pdfFile('Key receipt', ['Gate 4, one key', 'Deposit: EUR 200.00']),
          }),
        ],
      },
    ],
  },
  {
    subject: 'Summer in the mountains?',
    mailbox: ['Travel'],
    startsDaysAgo: 74,
    pauseHoursMax: 60,
    circle: ['halvard', 'marguerite', 'sam'],
    turns: [
      {
        who: 'halvard',
        text: 'It has been four years since the last hut trip. I looked at the map this weekend, and there is a round of five days without a single road.\n\nLast week of August, who is in?',
      },
      { who: 'marguerite', text: 'Me! But please no eleven-hour day like last time. My knees remember.' },
      { who: 'sam', text: 'I could fly in on the 22nd. Do the huts still take bookings by letter, as Halvard claims?' },
      {
        who: 'halvard',
        text: 'They answer letters faster than mail. The longest day is seven hours, Marguerite, I promise. Route attached.',
        files: [
          filePart({
            type: 'text/csv',
            name: 'route.csv',
            bytes: Buffer.from(
              'day,from,to,hours,metres up\r\n1,Station,Lower hut,4,650\r\n2,Lower hut,Lake hut,6,820\r\n3,Lake hut,Ridge hut,7,940\r\n4,Ridge hut,Glacier hut,5,410\r\n5,Glacier hut,Station,6,120\r\n',
            ),
          }),
        ],
      },
      { who: 'owner', text: 'I am in. I can bring the small stove and the good coffee.' },
      { who: 'marguerite', text: 'With coffee I can do seven hours.' },
      {
        who: 'sam',
        text: 'Flights booked: arriving on the 22nd at 14:10. Somebody please remind me to buy proper socks this time.',
      },
      {
        who: 'halvard',
        text: 'Huts are confirmed for four, all five nights. The lake hut asks us to bring our own sleeping bags.',
      },
      { who: 'owner', text: 'Wonderful. I made a packing list, socks are in bold.' },
    ],
  },
  {
    subject: 'Grandmother’s recipe book',
    mailbox: ['Family', 'Großeltern'],
    startsDaysAgo: 140,
    pauseHoursMax: 90,
    circle: ['philippa'],
    turns: [
      {
        who: 'philippa',
        text: 'Dear, I found the recipe book in the blue suitcase. The handwriting is faint, but Sam’s scanner did wonders. I send you the first pages.\n\nThe plum cake is on page nine. She writes “bake until it smells right”, so good luck.',
        files: [
          filePart({
            type: 'application/zip',
            name: 'recipe book, pages 1–12.zip',
            bytes: zipFile({
              'page-09.png': pngFile(80, 110, [246, 240, 222], [214, 200, 168]),
              'read me.txt': Buffer.from('Scanned on a rainy Sunday.\r\n'),
            }),
          }),
        ],
        flags: ['\\Flagged'],
      },
      { who: 'owner', text: 'What a treasure! I made the plum cake on Sunday. It smelled right after 50 minutes.' },
      {
        who: 'philippa',
        text: 'Fifty minutes, I shall write it in with a pencil. Shall I go on scanning? There are about eighty pages.',
      },
      { who: 'owner', text: 'Please do, and let me come and help in the holidays.' },
      { who: 'philippa', text: 'The guest room is yours. Bring the cake.' },
    ],
  },
  {
    subject: 'Accounts for the last quarter',
    mailbox: ['INBOX'],
    startsDaysAgo: 33,
    pauseHoursMax: 30,
    circle: ['ngozi'],
    turns: [
      {
        who: 'ngozi',
        text: 'Please find the figures for the last quarter attached. Two receipts are missing: the train of the 14th, and the paint for the harbour office.',
        files: [
          filePart({
            type: 'text/csv',
            name: 'quarter.csv',
            bytes: Buffer.from('account,amount\r\nTravel,1214.50\r\nMaterial,3380.00\r\nOffice,241.75\r\n'),
          }),
        ],
      },
      {
        who: 'owner',
        text: 'The train receipt is attached. For the paint I only have the delivery note, is that enough?',
        files: [
          filePart({
            type: 'application/pdf',
            name: 'train-receipt.pdf',
            bytes: pdfFile('Receipt', ['Return ticket', 'EUR 84.60']),
          }),
        ],
      },
      {
        who: 'ngozi',
        text: 'The delivery note will do this time, as long as it shows the price. Next time please the invoice.',
      },
      { who: 'owner', text: 'It does, and I will. Thank you for your patience.' },
      { who: 'ngozi', text: 'Closed and filed. The next date is the fifth of the coming month.' },
    ],
  },
  {
    subject: 'Window seats on the night train',
    mailbox: ['INBOX'],
    startsDaysAgo: 5,
    pauseHoursMax: 20,
    circle: ['marguerite', 'halvard'],
    turns: [
      {
        who: 'marguerite',
        text: 'The night train opens its bookings on Thursday at nine. Last year the window seats were gone by ten. Shall one of us book for all?',
      },
      { who: 'halvard', text: 'I can do it, I am awake at nine. Most of the time.' },
      { who: 'owner', text: 'I will set an alarm too, and call you if you do not answer within five minutes.' },
      { who: 'halvard', text: 'Booked! Two windows, one aisle. I take the aisle, I owe you one for the alarm.' },
      { who: 'marguerite', text: 'You are both heroes. I bring breakfast.' },
    ],
  },
  {
    subject: 'Could you read this before tomorrow?',
    mailbox: ['INBOX'],
    startsDaysAgo: 1,
    pauseHoursMax: 4,
    circle: ['priya'],
    turns: [
      {
        who: 'priya',
        text: 'I wrote the two pages for the council. Could you read them before tomorrow noon? I am most unsure about the paragraph on noise.',
        files: [
          filePart({
            type: 'application/pdf',
            name: 'council-draft-3.pdf',
            bytes: pdfFile('The reading room: for the council', ['1. What it is', '2. Who it is for', '3. Noise']),
          }),
        ],
      },
      {
        who: 'owner',
        text: 'Read it on the tram, it is very good. On noise I would start with the measurements and only then say what we do about it.',
      },
      { who: 'priya', text: 'Of course, that is the order. Changed. Thank you!' },
    ],
  },
];
