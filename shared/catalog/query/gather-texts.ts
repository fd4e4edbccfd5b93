import type { AskedTests, DecidableTest, EmailTests, TextsTest } from './filter.ts';
import { isTextTest } from './filter.ts';
import { searchTerms } from './search-terms.ts';
import type { SearchQuestion } from './sources.ts';

/**
 * The same filter with the texts that stand beside each other put into one question, so that most filters take one SEARCH,
 * whatever their operators. Only texts that are kept apart by other conditions under other operators stay several questions.
 */
export function gatherTexts(tests: AskedTests): EmailTests {
  if (tests.operator === undefined) {
    const terms = tests.condition.filter(isTextTest).flatMap(searchTerms);
    const others = tests.condition.filter((test) => !isTextTest(test));
    return {
      condition: terms.length === 0 ? others : [...others, { property: 'texts', question: { condition: terms } }],
    };
  }
  const { operator } = tests;
  // What NOT denies is an OR.
  const joint = operator === 'NOT' ? 'OR' : operator;
  const parts = tests.conditions.map(gatherTexts).flatMap((part) => partsOf(part, joint));
  const questions = parts.flatMap((part) => soleQuestion(part) ?? []);
  const others = parts.filter((part) => soleQuestion(part) === null);
  const [first, ...more] = questions;
  if (first === undefined) return { operator, conditions: others };
  const question: SearchQuestion = more.length === 0 ? first : { operator: joint, conditions: questions };
  if (others.length > 0) return { operator, conditions: [...others, askingFor(question)] };
  return askingFor(operator === 'NOT' ? { operator, conditions: [question] } : question);
}

/** The parts that the operator joins, where a part is itself such a join. */
function partsOf(tests: EmailTests, operator: 'AND' | 'OR'): readonly EmailTests[] {
  if (tests.operator === operator) return tests.conditions;
  if (tests.operator !== undefined || operator === 'OR') return [tests];
  const [texts, others] = [tests.condition.filter(isTextsTest), tests.condition.filter((test) => !isTextsTest(test))];
  return [...texts.map((test) => ({ condition: [test] })), ...(others.length > 0 ? [{ condition: others }] : [])];
}

function soleQuestion(tests: EmailTests): SearchQuestion | null {
  if (tests.operator !== undefined) return null;
  const [test, ...others] = tests.condition;
  return test !== undefined && isTextsTest(test) && others.length === 0 ? test.question : null;
}

function askingFor(question: SearchQuestion): EmailTests {
  return { condition: [{ property: 'texts', question }] };
}

function isTextsTest(test: DecidableTest): test is TextsTest {
  return test.property === 'texts';
}
