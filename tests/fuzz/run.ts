// Throws generated requests and mutated messages at the server: npm run fuzz -- [--seconds 60] [--seed N]
import { parseArgs } from 'node:util';
import { describeFinding, fuzz } from './fuzz.ts';

/** Cases of one seed. */
const runsOfSeed = 50;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
});
const first = Number(values.seed);
const until = Date.now() + Number(values.seconds) * 1000;

let seed = first;
do {
  // Told before, so that it is known of a run that ends in any other way.
  console.log(`seed ${seed}`);
  const finding = await fuzz(seed, runsOfSeed);
  if (finding !== null) {
    console.log(describeFinding(finding));
    process.exitCode = 1;
    break;
  }
  seed += 1;
} while (Date.now() < until);
const cases = (seed - first) * runsOfSeed;
console.log(`${cases} cases held, from seed ${first} to ${seed - 1}`);
