import type { Conversation, Turn } from './conversation.ts';
import type { PersonName } from './people.ts';
import type { World } from './world.ts';

/** One long thread, as every project has: some forty messages of a team that ticks off a list. */
export function launchChecklist({ random }: World): Conversation {
  const team: readonly PersonName[] = ['mira', 'priya', 'tomas', 'zoe', 'owner'];
  const turns: Turn[] = [
    {
      who: 'zoe',
      text: `Six weeks to the opening. This is the list, please answer to this thread when something is done, so that we have it in one place:\n\n${items.map(([item], index) => `${index + 1}. ${item}`).join('\n')}`,
      flags: ['\\Flagged'],
    },
  ];
  for (const [index, [, report, answer]] of items.entries()) {
    const who = random.pick(team);
    const other = random.pick(team.filter((name) => name !== who));
    turns.push({ who, text: `${index + 1}: ${report}` }, { who: other, text: answer });
  }
  turns.push({ who: 'zoe', text: 'That was the last line of the list. See you all on Saturday, there will be soup.' });
  return {
    subject: 'Apollo: list for the opening',
    mailbox: ['Projects', 'Apollo'],
    startsDaysAgo: 62,
    pauseHoursMax: 42,
    circle: team,
    turns,
  };
}

const items: readonly (readonly [item: string, report: string, answer: string])[] = [
  [
    'Fire inspection',
    'The inspection is on the 12th at ten, they want to see both exits.',
    'I will be there and have the plans with me.',
  ],
  [
    'Furniture delivery',
    'Chairs arrive on Tuesday, tables only on the Friday after.',
    'Then we paint the floor in between, that is even better.',
  ],
  [
    'Lamps',
    'All but two lamps are hanging. The two have the wrong cable.',
    'The shop exchanges them, I pick up the new ones tomorrow.',
  ],
  [
    'Sign at the door',
    'Proof of the sign is here. They spelled “reading” with two d.',
    'Corrected, new proof comes on Monday. Good that you looked.',
  ],
  [
    'Opening hours',
    'The council agrees to 9 to 21 on weekdays and 10 to 18 on Saturdays.',
    'And Sundays? Half of the letters we got asked for Sundays.',
  ],
  [
    'Sundays',
    'Sundays stay closed for the first half year, then they look at the figures.',
    'Fair enough. I will count visitors by hour from the first day.',
  ],
  [
    'Catalogue computer',
    'It starts, it prints, and it forgets the time every night.',
    'Battery. I have one in a drawer somewhere.',
  ],
  [
    'Children’s corner',
    'The carpet is in. I have never seen so many shades of green.',
    'It looks like a meadow, leave it exactly like that.',
  ],
  [
    'Donated books',
    'We are at 1,140 books, 90 of them twice.',
    'The doubles can go to the harbour office, they asked for some.',
  ],
  [
    'Volunteers',
    'Fourteen people came to the evening, eleven signed up.',
    'Eleven is enough for two on each day. Wonderful.',
  ],
  [
    'Coffee machine',
    'Borrowed one for the opening. It needs its own fuse.',
    'It gets the one of the dishwasher, we wash up by hand that day.',
  ],
  ['Insurance', 'The policy is signed, it starts on the first.', 'Copy is in the folder, thank you.'],
  ['Invitations', 'Two hundred cards are printed, forty are already written.', 'I take sixty home with me tonight.'],
  [
    'Local paper',
    'They send somebody on Thursday and want one good picture.',
    'Take the table at the window, in the evening light.',
  ],
  ['Music', 'The school quartet plays for half an hour.', 'They need four chairs without arms, I keep four apart.'],
  [
    'Ramp',
    'The ramp is steeper than drawn. The mason comes back on Wednesday.',
    'Good. That one I would not let pass.',
  ],
  [
    'Heating',
    'It runs, and the box around the pipe looks as if it had always been there.',
    'Sit next to it with a book and tell me that you want a bench.',
  ],
  ['Keys', 'Five keys are made. One each, and one for the council.', 'Mine is on the ring already.'],
];
