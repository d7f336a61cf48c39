/** The commands of the contract as methods: `api.startVm({ vmId })`. Types only. */
import type { CommandName, Input, Output } from "./mod.ts";

type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;
type Args<N extends CommandName> = Record<never, never> extends Input<N> ? [input?: Input<N>]
  : [input: Input<N>];

/** Every command of the contract as a method. */
export type Api = { readonly [N in CommandName as Camel<N>]: (...args: Args<N>) => Promise<Output<N>> };
