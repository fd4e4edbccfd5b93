import { type AskedTests, type EmailFilter, isTextTest, type TextTest, testsOf } from '../../catalog/query/filter.ts';
import { searchTerms } from '../../catalog/query/search-terms.ts';

/** The texts of a filter that may be found in the subject, and those that may be found in the body. */
export type SnippetTerms = { readonly subject: readonly string[]; readonly body: readonly string[] };

/** The texts that Email/query looks for with this filter, cut in the same way. What must *not* be found is none of them. */
export function snippetTerms(filter: EmailFilter): SnippetTerms {
  const subject = new Set<string>();
  const body = new Set<string>();
  for (const test of wantedTests(testsOf(filter, new Map()), true)) {
    for (const { value } of searchTerms(test)) {
      if (value === null) continue;
      if (isAboutSubject(test)) subject.add(value);
      if (test.property === 'text' || test.property === 'body') body.add(value);
    }
  }
  return { subject: [...subject], body: [...body] };
}

/** The text conditions that make an Email match by being met; under a NOT that is so for those under a second one. */
function* wantedTests(tests: AskedTests, isWanted: boolean): Generator<TextTest> {
  if (tests.operator === undefined) {
    if (isWanted) yield* tests.condition.filter(isTextTest);
    return;
  }
  for (const inner of tests.conditions) yield* wantedTests(inner, (tests.operator === 'NOT') !== isWanted);
}

function isAboutSubject(test: TextTest): boolean {
  if (test.property === 'header') return test.name.toLowerCase() === 'subject';
  return test.property === 'text' || test.property === 'subject';
}
