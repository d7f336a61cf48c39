/** Command of the contract: the shape of one row in the one table that every interface is derived from. */
import type { Static, TSchema } from "typebox";
import type { ErrorCode } from "./errors.ts";
import type { VM_STATES } from "./choices.ts";
import type { ExtraPermission, OutputFilter } from "./access_rules.ts";

/** Roles in rising order: whoever has one may do what the ones before it may. */
export const ROLES = ["viewer", "operator", "administrator"] as const;
/** The least role a command asks for. */
export type Role = typeof ROLES[number];

/** Kinds of marks on the time line of graphs that commands have. */
export type CommandMark = "power" | "snapshot" | "change";

/** HTTP methods the REST door uses. */
export type RestMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How entries of a list are looked up: the command line completes and resolves names by it. */
export interface Lookup {
  /** Fields of other commands whose values it lists. */
  readonly fields: readonly string[];
  /** Field of the answer that holds the list, where it is not the answer or its `rows`. */
  readonly in?: string;
  /** Field of an entry that people type: its name, or its id, whose beginning will do. */
  readonly by: string;
  /** Field that tells more of an entry. */
  readonly more?: string;
  /** Given where the fields hold ids, which names are resolved to: the error for a name that nothing has. */
  readonly missing?: ErrorCode;
}

/** One command: what it is called, takes, gives, may fail with, and where each door has it. */
export interface Command<
  I extends TSchema = TSchema,
  O extends TSchema = TSchema,
  R extends boolean = boolean,
> {
  /** One line for people: OpenAPI summary, CLI help. */
  readonly summary: string;
  /** Longer explanation, where one line is not enough. */
  readonly description?: string;
  readonly role: Role;
  /**
   * Its permission if route and role do not say it (`lib/access/permissions.ts`): `area.level`, or `anyone` (no
   * sign-in), `signed-in` (no other: it shows and changes only the user's own data), `socket` (root).
   */
  readonly permission?: `${string}.${string}` | "anyone" | "signed-in" | "socket";
  /** Permissions on everything that a call needs in addition to that one. */
  readonly alsoNeeds?: readonly ExtraPermission[];
  /**
   * At a session it needs a proof, not older than a few minutes, that the session is still its owner's. A command whose
   * input may carry that proof itself (`password`) does without: its handler checks.
   */
  readonly confirms?: true;
  /** Parts of its answer that are hidden from users who may see only some VMs. */
  readonly hides?: OutputFilter;
  /** Users who see it in the activity; without it, those who see its VM. */
  readonly activityFor?: "administrators";
  /** Closed object schema: unknown fields are refused. */
  readonly input: I;
  readonly output: O;
  /** Errors special to it; input, role and libvirt errors every command may give are not repeated. */
  readonly errors: readonly ErrorCode[];
  /** `METHOD /path/{field}`, below `/api/v1`. Fields in the path are taken from it, the rest from body or query. */
  readonly route: `${RestMethod} /${string}`;
  /** Words of the CLI verb, then the positional fields: `["vm", "start", "<vmId>"]`. */
  readonly cli: readonly string[];
  /** Other words for the verb, as other tools have them: `vm tag` for `vm tags`. */
  readonly aliases?: readonly string[];
  /** Places of the verb instead of those in `cli`: `<vmId...>` is carried out for each, `[tags...]` may be left out. */
  readonly places?: readonly string[];
  /**
   * Option → field (dots for parts) that it is a better name of; the first of several is the one that is told. The
   * field's own name goes on working.
   */
  readonly flags?: Readonly<Record<string, string>>;
  /** Option that other tools have for the verb → what does that here, as a sentence. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** State of the VM that `--wait` alone waits for. */
  readonly reaches?: typeof VM_STATES[number];
  /** Field of the answer that is a file: the whole output, unless another format is asked for. */
  readonly file?: { readonly field: string; readonly base64?: true };
  /** Command lines that can be typed, where something is worth showing beyond the plain call. */
  readonly examples?: readonly string[];
  /** Fields that may be left out, yet are worth showing in examples of its input. */
  readonly exampleFields?: readonly string[];
  /** How entries of its list are looked up. */
  readonly lookup?: Lookup;
  /** Field of the input → field by whose look-up its names are found, where another resource has the field's own name. */
  readonly namedAs?: Readonly<Record<string, string>>;
  /** Fields of its list that a table shows (`info.name` is one of a part, `a|b` the first with a value), and of a wide one. */
  readonly columns?: readonly string[];
  readonly wide?: readonly string[];
  /** Of its columns, those that a table has only where a row has something there. */
  readonly ifTold?: readonly string[];
  /** … and those that it has only where rows differ there. */
  readonly ifVaried?: readonly string[];
  /** Field that holds the list, where the answer has other fields as well. */
  readonly rows?: string;
  /**
   * Object that its fields may stand in as well, as in `{ "config": { "name": "web" } }`. Fields next to it stay where
   * they are; none may be in both places.
   */
  readonly envelope?: string;
  /** The handler tells what is wrong with the input's fields, so that they are not validated before. */
  readonly unchecked?: true;
  /** Field of the answer with the id of the VM that it makes; the field `name` has its name. */
  readonly makesVm?: string;
  /** It makes one in addition to the VM that it is about, or several. */
  readonly makesVms?: true;
  /** REST path of what it makes, with fields of its answer or input, where that is not a part of its own path. */
  readonly makesAt?: `/${string}`;
  /** The events of the VM that libvirt sends because of it. */
  readonly effects?: readonly string[];
  /** Errors which say that all is as it was asked to be: a script may take them for done. */
  readonly already?: readonly ErrorCode[];
  /** Data that it deletes for good: the command line asks first. */
  readonly destroys?: string;
  /** Command that only reads, and tells from fields of the same names what this one would do. */
  readonly plan?: string;
  /** Kind of its mark on the time line of graphs. Commands that only read, or only name things, have none. */
  readonly mark?: CommandMark;
  /** Changes nothing: may be called with GET, is not audited. */
  readonly readOnly: R;
  /** It is audited all the same: it gives what others have kept to themselves. */
  readonly audited?: true;
  /** Its REST route takes or gives content as the body itself, streamed; its other fields are in path, query and head. */
  readonly content?: "upload" | "download";
  /** Its routes tell what comes while it works, one JSON a line, to who accepts `application/x-ndjson`. */
  readonly tells?: true;
  /** Its task shows or logs what takes its permission to get: only who has that sees it, and who began it. */
  readonly privateTask?: true;
  /** Fields of such a command that travel in the query. */
  readonly contentFields?: readonly string[];
  /** It may take as long as a disk is large, and is a task meanwhile: a form waits a moment only, and then shows the page. */
  readonly isJob?: true;
  /** It begins a task and is none of the above: the same call again, while it is carried out, joins the first. */
  readonly joins?: true;
  /** It answers at once, and its job goes on: the command whose list has the answer, by its `id`, as it is at the end. */
  readonly endsIn?: string;
  /** Its changes apply to all hosts, whichever it is called on: it needs a right to everything. */
  readonly changesAllHosts?: true;
  /** Its list is of all hosts unless one is named: the answer's heads name those that it has nothing of. */
  readonly ofAllHosts?: true;
  /** It asks linked hosts itself, and is never carried out there: `host` says of which host its answer is. */
  readonly spansHosts?: true;
  /** Its object may be on any host, which its input does not say: it waits until each was read after the start. */
  readonly onAnyHost?: true;
  /** Answered without libvirt: does not wait for the first connection after the start. */
  readonly withoutLibvirt?: true;
}

/** Commands by name, as `COMMANDS` has them. */
export type CommandTable = Readonly<Record<string, Command>>;

/**
 * Whether the same call again by the same person with the same rights, while it is carried out, joins the first and gets its
 * answer: both have one task.
 */
export const joinsSame = ({ isJob, joins, content }: Pick<Command, "isJob" | "joins" | "content">): boolean =>
  (isJob === true || joins === true) && content === undefined;

/** Declares a command: an identity that keeps the schemas' types, and whether it only reads. */
export function command<I extends TSchema, O extends TSchema, R extends boolean>(
  definition: Command<I, O, R>,
): Command<I, O, R> {
  return definition;
}

/** Type of a command's input. */
export type InputOf<C> = C extends Command<infer I, TSchema> ? Static<I> : never;
/** Type of a command's output. */
export type OutputOf<C> = C extends Command<TSchema, infer O> ? Static<O> : never;
