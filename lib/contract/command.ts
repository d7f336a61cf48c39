/** What a command of the contract is: the shape of one row in the one table that every door is derived from. */
import type { Static, TSchema } from "typebox";
import type { ErrorCode } from "./errors.ts";

/** Roles in rising order: whoever has one may do what the ones before it may. */
export const ROLES = ["viewer", "operator", "administrator"] as const;
/** The least role a command asks for. */
export type Role = typeof ROLES[number];

/** HTTP methods the REST door uses. */
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One command: what it is called, takes, gives, may fail with, and where each door has it. */
export interface Command<I extends TSchema = TSchema, O extends TSchema = TSchema> {
  /** One line for people: OpenAPI summary, CLI help. */
  readonly summary: string;
  /** Longer explanation, where one line is not enough. */
  readonly description?: string;
  readonly role: Role;
  /**
   * What it needs where that is not what route and role say (`lib/access/permissions.ts`): a permission `area.level`,
   * or `anyone` (no sign-in), `signed-in` (nothing but that: it shows and changes what is one's own), `socket` (root).
   */
  readonly permission?: `${string}.${string}` | "anyone" | "signed-in" | "socket";
  /** Closed object schema: unknown fields are refused. */
  readonly input: I;
  readonly output: O;
  /** Errors special to it; input, role and libvirt errors every command may give are not repeated. */
  readonly errors: readonly ErrorCode[];
  /** `METHOD /path/{field}`, below `/api/v1`. Fields in the path are taken from it, the rest from body or query. */
  readonly route: `${Method} /${string}`;
  /** Words of the CLI verb, then the positional fields: `["vm", "start", "<vmId>"]`. */
  readonly cli: readonly string[];
  /** Fields of its list that a table shows (`info.name` is one of a part), and what a wide table has behind them. */
  readonly columns?: readonly string[];
  readonly wide?: readonly string[];
  /** Field that holds the list, where the answer has other things beside it. */
  readonly rows?: string;
  /** What is lost by it for good: the command line asks first. */
  readonly destroys?: string;
  /** Changes nothing: may be called with GET, is not audited. */
  readonly readOnly: boolean;
  /** Its REST route takes or gives content as the body itself, streamed; its other fields are in path, query and head. */
  readonly content?: "upload" | "download";
  /** Answered without libvirt: does not wait for the first connection after the start. */
  readonly withoutLibvirt?: true;
}

/** Declares a command: an identity that keeps the schemas' types. */
export function command<I extends TSchema, O extends TSchema>(definition: Command<I, O>): Command<I, O> {
  return definition;
}

/** What a command takes, as a type. */
export type InputOf<C> = C extends Command<infer I, TSchema> ? Static<I> : never;
/** What a command gives, as a type. */
export type OutputOf<C> = C extends Command<TSchema, infer O> ? Static<O> : never;
