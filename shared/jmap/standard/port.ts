import type { AccountContext } from '../method.ts';

/**
 * Which port serves a method. A type that has rules of its own to add puts them between the engine and the port here:
 * it returns a port that keeps the rules and passes the rest on.
 */
export type ChoosePort<Ports, Port> = (ports: Ports, context: AccountContext<Ports>) => Port;

/** The port named like the data type, which is where a type's needs are found unless it says otherwise. */
export function ownPort<Ports, Port>(name: string): ChoosePort<Ports, Port> {
  return (ports) => (ports as { readonly [name: string]: Port })[name] as Port;
}
