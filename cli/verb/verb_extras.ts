/** A noun's command line functions outside the contract. */
import type { CommandName } from "../../lib/contract/mod.ts";
import type { Server } from "../connect/server.ts";

/** The input of a command, as far as it is known. */
export type InputDraft = Record<string, unknown>;

/** Values of options without fields of their own. */
export type Given = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/** Functions that an expansion may use. */
export interface ExpandContext {
  readonly server: Server;
  /** Reads a file, or standard input for `-`. @throws {UsageError} */
  readonly read: (file: string, flag: string) => Promise<string>;
}

/** An option that is no field: several fields are made of it, or it is looked up first. */
export interface Shorthand {
  /** Stands for its value; none: it has no value. */
  readonly value?: string;
  readonly multiple?: true;
  readonly text: string;
  /** Its value is a file's name. */
  readonly file?: true;
}

/** Another way to write the places. */
export interface OtherPlaces {
  readonly usage: string;
  /** The input of these places; undefined when they are written the other way. @throws {UsageError} */
  readonly read: (places: readonly string[]) => InputDraft | undefined;
}

/** Output about a command: a question to the server before it, and lines about the result. */
export interface Report {
  /** Asked before it is carried out. */
  readonly before: (server: Server, input: InputDraft) => Promise<unknown>;
  /** Lines for people. @param name what is spoken of */
  readonly lines: (name: string, before: unknown, answer: unknown) => readonly string[];
}

/** The row of a command. */
export interface VerbExtras {
  readonly otherPlaces?: OtherPlaces;
  /** Flag → an option that is no field. */
  readonly shorthands?: Readonly<Record<string, Shorthand>>;
  /** Puts what was given by these into the input. @throws {UsageError | ApiError} */
  readonly expand?: (input: InputDraft, given: Given, context: ExpandContext) => Promise<void>;
  /** Titles of the help → fields and shorthands below each. What is in none comes last. */
  readonly groups?: readonly (readonly [title: string, names: readonly string[]])[];
  /** Field that may be `+2G`: more than now, which is asked for, in bytes. */
  readonly growing?: {
    readonly field: string;
    readonly now: (server: Server, input: InputDraft) => Promise<number>;
  };
  /** Command that `--dry-run` asks instead, and its input. */
  readonly dryRun?: { readonly command: CommandName; readonly input: (input: InputDraft) => InputDraft };
  readonly report?: Report;
}

/** Rows by command. */
export type ExtrasTable = Readonly<Partial<Record<CommandName, VerbExtras>>>;
