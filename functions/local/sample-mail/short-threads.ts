import { type Conversation, conversationLetters } from './conversation.ts';
import type { Letter } from './letter.ts';
import type { PersonName } from './people.ts';
import type { World } from './world.ts';

const threadCount = 130;
const oldestDays = 420;

/** No topic comes again before so many others. */
const topicsBetween = 9;

/** Everyday mail of one to five messages, spread over the months; the older threads have been put away. */
export function shortThreads(world: World): Letter[] {
  const recent: Topic[] = [];
  return Array.from({ length: threadCount }, (_, index) => {
    const topic = world.random.pick(topics.filter((other) => !recent.includes(other)));
    recent[index % topicsBetween] = topic;
    const startsDaysAgo = Math.round(oldestDays * (1 - index / threadCount) ** 1.6);
    return conversationLetters(world, shortThread(world, topic, startsDaysAgo));
  }).flat();
}

function shortThread({ random }: World, topic: Topic, startsDaysAgo: number): Conversation {
  const { subject, mailbox, who, texts } = topic;
  const words = Object.fromEntries(Object.entries(choices).map(([name, values]) => [name, random.pick(values)]));
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? name);
  const other = random.pick(who);
  const length = random.between(1, texts.length);
  return {
    subject: fill(subject),
    mailbox: startsDaysAgo < 120 ? ['INBOX'] : startsDaysAgo > 240 ? ['Archive'] : mailbox,
    startsDaysAgo,
    pauseHoursMax: 26,
    circle: [other],
    turns: texts.slice(0, length).map((text, index) => ({ who: index % 2 === 0 ? other : 'owner', text: fill(text) })),
  };
}

const choices = {
  day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'],
  hour: ['nine', 'ten', 'eleven', 'two', 'half past three'],
  project: ['Apollo', 'Harbour', 'the school garden', 'the old mill'],
  room: ['the small room', 'the blue room', 'the kitchen', 'room 12'],
  thing: ['the measuring tape', 'the projector', 'the ladder', 'the red folder', 'the spare key'],
  book: ['a book on bridges', 'the novel about the lighthouse', 'a history of the pencil', 'the blue atlas'],
  place: ['the museum', 'the lake', 'the old mill', 'the botanical garden', 'the cinema by the river'],
  dish: ['lentil soup', 'apple tart', 'dumplings', 'a very large salad'],
};

interface Topic {
  readonly subject: string;
  readonly mailbox: readonly string[];
  readonly who: readonly PersonName[];
  /** Turn by turn, the other person first. */
  readonly texts: readonly string[];
}

const topics: readonly Topic[] = [
  {
    subject: 'Meeting about {project} on {day}',
    mailbox: ['INBOX'],
    who: ['mira', 'priya', 'zoe'],
    texts: [
      'Could we talk about {project} on {day} at {hour}? I reserved {room}.',
      '{day} at {hour} is fine. I bring the plans.',
      'Great, and please bring {thing} as well, if you have it.',
    ],
  },
  {
    subject: 'Have you seen {thing}?',
    mailbox: ['INBOX'],
    who: ['tomas', 'zoe'],
    texts: [
      'I am looking for {thing}. It was in {room} on {day}.',
      'I have it, sorry! It is back on {day}.',
      'No hurry, I only wanted to know that it exists.',
      'It exists, and it is in {room} again.',
    ],
  },
  {
    subject: 'Minutes, {project}',
    mailbox: ['Projects', 'Apollo'],
    who: ['priya', 'mira'],
    texts: [
      'Minutes of today:\n\n- {project}: the offer is accepted\n- the next step is due on {day}\n- {thing} has to be bought\n\nPlease tell me what I forgot.',
      'Only one thing: we also said that {room} stays free until the end of the month.',
    ],
  },
  {
    subject: 'Delivery for {project}',
    mailbox: ['Projects', 'Harbour'],
    who: ['jonas', 'elif'],
    texts: [
      'The lorry comes on {day} at {hour}. Is somebody there to sign?',
      'I will be there, it is on my way.',
      'Thank you. It should be four pallets, please count them.',
      'Four pallets, all dry. Signed.',
      'Perfect, then we start on {day}.',
    ],
  },
  {
    subject: 'Dinner on {day}?',
    mailbox: ['INBOX'],
    who: ['halvard', 'marguerite', 'sam'],
    texts: [
      'I am making {dish} on {day}, and it is far too much for one. Will you come?',
      'With pleasure! What can I bring?',
      'Only yourself. Or bread.',
      'Myself and bread, then.',
    ],
  },
  {
    subject: 'A question about the invoice for {project}',
    mailbox: ['Archive'],
    who: ['ngozi'],
    texts: [
      'On the invoice for {project} the hours of {day} are missing. Is that on purpose?',
      'No, I forgot them. The corrected one comes today.',
      'Received, thank you. It will be paid on {day}.',
    ],
  },
  {
    subject: 'How was {day}?',
    mailbox: ['Family'],
    who: ['philippa'],
    texts: [
      'You promised to tell me how {day} went. I am curious! Here the roses are early this year.',
      'It went well, I was only nervous for the first five minutes. Then somebody asked about {thing}, and it was easy.',
      'I knew it. Come and tell me over {dish}.',
    ],
  },
  {
    subject: 'For the shelf: {book}',
    mailbox: ['INBOX'],
    who: ['sam', 'marguerite', 'philippa'],
    texts: [
      'I finished {book} last night and thought of you on every other page. Shall I lend it to you?',
      'Please do! I have {book} waiting for you in return, if you do not know it yet.',
      'I do not, and I am already curious.',
    ],
  },
  {
    subject: 'Your plants',
    mailbox: ['INBOX'],
    who: ['zoe', 'halvard'],
    texts: [
      'The ficus has a new leaf, the basil has given up. I watered everything on {day}.',
      'The basil always gives up. Thank you for looking after them!',
      'Any time. I took {dish} from your freezer as my wages.',
    ],
  },
  {
    subject: 'Bicycle is ready',
    mailbox: ['Archive'],
    who: ['tomas'],
    texts: [
      'The bicycle is ready: new chain, new brake pads, and the bell rings again. You can fetch it from {day}.',
      'That was quick! I come on {day} at {hour}.',
    ],
  },
  {
    subject: 'Choir on {day}, other room',
    mailbox: ['INBOX'],
    who: ['marguerite', 'priya'],
    texts: [
      'On {day} we sing in {room}, because the hall is being painted. Please bring a pencil and something warm.',
      'Thank you for telling me, I would have stood in wet paint.',
      'Two of the basses did.',
    ],
  },
  {
    subject: 'Going to {place} on {day}',
    mailbox: ['Travel'],
    who: ['sam', 'halvard', 'elif'],
    texts: [
      'A few of us go to {place} on {day}, by train, back before dark. There is one ticket left.',
      'I take it! When do we meet?',
      'At {hour}, under the clock. Bring {dish} if you can.',
      'Under the clock, with a bag.',
    ],
  },
  {
    subject: 'Parcel for you',
    mailbox: ['INBOX'],
    who: ['zoe', 'tomas'],
    texts: [
      'A parcel for you is in {room}. It is heavy, and it rattles.',
      'That must be {book}, and the tea I ordered with it. I fetch it on {day}.',
      'Then it is not {thing} that rattles. Good.',
    ],
  },
  {
    subject: 'Photograph of {place}',
    mailbox: ['Family'],
    who: ['philippa', 'sam'],
    texts: [
      'Do you still have the photograph of {place} with all of us on the stairs? I would like to frame it.',
      'I have it, and I send you a proper print. It should be with you by {day}.',
      'It came today. How young we were, and how badly dressed!',
    ],
  },
  {
    subject: 'Price for {project}',
    mailbox: ['Projects', 'Harbour'],
    who: ['elif', 'jonas', 'tomas'],
    texts: [
      'The second offer for {project} is here, eleven per cent below the first, and with {thing} included. Decision by {day}?',
      'I compared them line by line, and the second one is better. Let us take it.',
      'Ordered. They begin on {day}.',
    ],
  },
  {
    subject: 'Proofreading',
    mailbox: ['Archive'],
    who: ['mira', 'priya'],
    texts: [
      'Six pages about {project}, could you read them until {day}? Commas are welcome, kind words too.',
      'Read. Eleven commas and one kind word are in the margin: lovely.',
      'Framed the word, moved the commas. Thank you!',
    ],
  },
];
