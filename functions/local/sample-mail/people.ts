import type { Person } from './letter.ts';

/** Everyone here is invented. */
export const people = {
  mira: { name: 'Mira Lindqvist', email: 'mira.lindqvist@example.com' },
  tomas: { name: 'Tomás Ferreira Nunes', email: 'tomas.nunes@example.com', zoneMinutes: 0 },
  priya: { name: 'Priya Ranganathan', email: 'priya@example.com', zoneMinutes: 330 },
  zoe: { name: 'Zoë van Houten', email: 'zoe.vanhouten@example.com' },
  ngozi: { name: 'Clarke, Ngozi (Accounts)', email: 'accounts@example.com', zoneMinutes: 0 },
  jonas: { name: 'Jonas Weidemann', email: 'jonas.weidemann@harbour.example.net' },
  elif: { name: 'Elif Karadağ', email: 'elif@harbour.example.net', zoneMinutes: 180 },
  halvard: { name: 'Halvard Nygård', email: 'halvard@example.net' },
  philippa: { name: 'Philippa Calder', email: 'philippa.calder@example.net', zoneMinutes: 0 },
  marguerite: { name: 'Marguerite Delaunoy-Petit', email: 'marguerite@example.net' },
  sam: { name: 'Sam Okafor-Bright', email: 'sam@example.org', zoneMinutes: -300 },
} as const satisfies Record<string, Person>;

export type PersonName = keyof typeof people | 'owner';
