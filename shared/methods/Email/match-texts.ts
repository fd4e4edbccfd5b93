import { decide, type Truth } from '../../catalog/query/truth.ts';
import { leaves } from '../../message/body-structure.ts';
import { headerText } from '../../message/header-text.ts';
import { finderIn } from '../../message/matches.ts';
import { type EmailHeader, parseHeaders } from '../../message/parse-headers.ts';
import type { CanReadContents, TextCondition, TextQuestion } from './mail.ts';
import { readTexts } from './read-texts.ts';

/**
 * Which of the questions each message answers (RFC 8621 §4.4.1), found out by reading it: decoded header fields, and the text/* parts
 * where the header decides nothing. Messages that are not there any more are absent.
 */
export async function matchTexts<P>(
  places: readonly P[],
  questions: readonly TextQuestion[],
  messages: CanReadContents<P>,
): Promise<ReadonlyMap<P, readonly boolean[]>> {
  const conditions = questions.flatMap(conditionsOf);
  const facts = await messages.read(places, {
    headers: [...new Set(conditions.flatMap(fieldsOf))],
    structure: conditions.some(isAboutBody),
    preview: false,
  });
  const known = new Map(
    [...facts].map(([place, { headers }]) => {
      const holds = holdsInHeader(parseHeaders(headers ?? new Uint8Array()), conditions);
      return [place, new Map(conditions.map((condition) => [condition, holds(condition)]))] as const;
    }),
  );
  const isOpen = (place: P) =>
    questions.some((question) => decide(question, (condition) => known.get(place)?.get(condition)) === undefined);

  const parts = [...facts].flatMap(([place, { structure }]) => {
    if (structure === undefined || !isOpen(place)) return [];
    const texts = leaves(structure).filter(({ type }) => type.startsWith('text/'));
    return texts.map((part) => ({ place, part }));
  });
  for await (const { place, text } of readTexts(parts, messages)) {
    const isFound = finderIn(text);
    const truths = known.get(place);
    for (const condition of conditions) {
      if (isAboutBody(condition) && isFound(condition.value)) truths?.set(condition, true);
    }
  }
  const holdsIn = (truths: ReadonlyMap<TextCondition, Truth>) =>
    questions.map((question) => decide(question, (condition) => truths.get(condition) === true) === true);
  return new Map([...known].map(([place, truths]) => [place, holdsIn(truths)]));
}

function conditionsOf(question: TextQuestion): readonly TextCondition[] {
  return question.operator === undefined ? question.condition : question.conditions.flatMap(conditionsOf);
}

function isAboutBody(condition: TextCondition): condition is TextCondition & { readonly kind: 'text' | 'body' } {
  return condition.kind === 'text' || condition.kind === 'body';
}

/** The header fields that may answer the condition, in lower case. */
function fieldsOf(condition: TextCondition): readonly string[] {
  switch (condition.kind) {
    case 'body':
      return [];
    case 'text':
      return ['from', 'to', 'cc', 'bcc', 'subject'];
    case 'header':
      return [condition.name.toLowerCase()];
    default:
      return [condition.kind];
  }
}

/** Whether a condition holds, as far as the header tells. */
function holdsInHeader(
  headers: readonly EmailHeader[],
  conditions: readonly TextCondition[],
): (condition: TextCondition) => Truth {
  const wanted = new Set(conditions.flatMap(fieldsOf));
  const fields = headers
    .map(({ name, value }) => ({ name: name.toLowerCase(), value }))
    .filter(({ name }) => wanted.has(name))
    .map(({ name, value }) => ({ name, isFound: finderIn(headerText(value)) }));
  return (condition) => {
    const own = fieldsOf(condition);
    const isInHeader = fields.some(
      ({ name, isFound }) => own.includes(name) && (condition.value === null || isFound(condition.value)),
    );
    return isInHeader || !isAboutBody(condition) ? isInHeader : undefined;
  };
}
