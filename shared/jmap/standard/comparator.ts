/** One level of a sort order (RFC 8620 §5.5). A type may give it further members, such as `keyword`. */
export type Comparator<P extends string = string> = {
  readonly property: P;
  readonly isAscending: boolean;
  /** One of the server's `collationAlgorithms`, or null: its default. */
  readonly collation: string | null;
};
