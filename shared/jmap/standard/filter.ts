/** A filter tree (RFC 8620 §5.5): `C` is the type's FilterCondition, all of whose properties must match. */
export type Filter<C> = FilterOperator<C> | FilterCondition<C>;
export type FilterOperator<C> = {
  readonly operator: 'AND' | 'OR' | 'NOT';
  readonly conditions: readonly Filter<C>[];
};
export type FilterCondition<C> = { readonly operator?: never; readonly condition: C };
