/** Subjects are told apart by no more characters than these; the limit keeps hostile ones cheap. */
const subjectCharsMax = 1000;

/** `*subj-blob subj-refwd` (RFC 5256 §5). */
const replyOrForward = /^(?:\[[^[\]]*\] *)*(?:re|fwd?) *(?:\[[^[\]]*\] *)?:/i;
/** `subj-blob`, where something is left behind it. */
const blobBeforeText = /^\[[^[\]]*\] *(?=[^ ])/;
/** `subj-fwd-hdr … subj-fwd-trl`. */
const forwarded = /^\[fwd:(.*)\]$/is;

/** The base subject of a decoded Subject (RFC 5256 §2.1): without `Re:`, `Fwd:`, `(fwd)` and what lists put in brackets. */
export function baseSubject(subject: string): string {
  let text = subject.slice(0, subjectCharsMax).replace(/[ \t\r\n]+/g, ' ');
  for (;;) {
    text = withoutLeaders(withoutTrailers(text));
    const inner = forwarded.exec(text)?.[1];
    if (inner === undefined) return text;
    text = inner;
  }
}

/** Step 2. */
function withoutTrailers(subject: string): string {
  let text = subject.trimEnd();
  while (/\(fwd\)$/i.test(text)) text = text.slice(0, -'(fwd)'.length).trimEnd();
  return text;
}

/** Steps 3 to 5. */
function withoutLeaders(subject: string): string {
  let text = subject;
  for (;;) {
    const shorter = text.trimStart().replace(replyOrForward, '').replace(blobBeforeText, '');
    if (shorter === text) return text;
    text = shorter;
  }
}
