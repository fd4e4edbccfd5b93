import { registry } from '../../shared/methods/registry.ts';

/** Every capability that brings methods. */
export const capabilities: readonly string[] = [...new Set([...registry.values()].map(({ capability }) => capability))];
