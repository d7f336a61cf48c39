/** The contract as a .proto file: one service with a method for each command, and what streams. Pure. */
import { type Command, COMMANDS, type CommandTable, EVENTS } from "../contract/mod.ts";
import { pascalName, protocJsonName, type ProtoFile, type ProtoMethod, snakeName } from "./model.ts";
import type { NumberLock } from "./numbers.ts";
import { type JsonSchema, SchemaMessages } from "./schema_messages.ts";

export const PACKAGE = "kvmmanager.v1";
export const SERVICE = `${PACKAGE}.KvmManager`;
export const CONTRACT_PATH = "kvmmanager/v1/kvm_manager.proto";

/** How a method carries its command. */
export type MethodKind =
  | "unary"
  | "upload"
  | "download"
  | "lines"
  | "console"
  | "events"
  | "metrics";

/** A method of the service, and what it does. */
export interface ContractMethod extends ProtoMethod {
  readonly kind: MethodKind;
  /** The command that it carries out. */
  readonly command?: string;
}

/** The contract, as Protocol Buffers have it. */
export interface ContractFile {
  readonly file: ProtoFile;
  readonly methods: readonly ContractMethod[];
  /** The messages before they have numbers, for the lock. */
  readonly messages: SchemaMessages;
}

/** JSON's name of an event in `Event`: `vm-state-changed` → `vmStateChanged`. */
export const eventField = (name: string) => protocJsonName(snakeName(name));

const isPlainObject = (schema: JsonSchema) => schema.type === "object" && schema.properties !== undefined;

/** The message of an answer. One with a name of its own is in another, whose field may be replaced. */
function replyOf(messages: SchemaMessages, output: JsonSchema, name: string): string {
  const type = messages.message(output, name, false);
  if (type === `${messages.packageName}.${name}` || !isPlainObject(output)) return type;
  return messages.around(type, name);
}

/** Two things one of which a message of a stream is. */
const either = (messages: SchemaMessages, name: string, [json, type, comment]: [string, string, string]) =>
  messages.custom(name, [
    { name: snakeName(json), json, type, presence: "optional", oneof: "content", comment },
    { name: "data", json: "data", type: "bytes", presence: "optional", oneof: "content" },
  ]);

/** The methods of one command. */
function methodsOf(messages: SchemaMessages, name: string, command: Command): ContractMethod[] {
  const called = pascalName(name), comment = command.summary;
  const input = messages.request(command.input as JsonSchema, `${called}Request`);
  const output = replyOf(messages, command.output as JsonSchema, `${called}Reply`);
  const plain = { name: called, input, output, comment, command: name };
  if (command.content === "upload") {
    const sent = either(messages, `${called}Part`, ["start", input, "first of all; the bytes come after it"]);
    return [{ ...plain, kind: "upload", input: sent, clientStreams: true }];
  }
  if (command.content === "download") {
    const given = either(messages, `${called}Part`, [
      "about",
      output,
      "first of all; the bytes come after it",
    ]);
    return [{ ...plain, kind: "download", output: given, serverStreams: true }];
  }
  if (!command.tells) return [{ ...plain, kind: "unary" }];
  const line = messages.custom(`${called}Line`, [
    {
      name: "told",
      json: "told",
      type: "google.protobuf.Struct",
      presence: "optional",
      oneof: "content",
      comment: "what comes while it works",
    },
    {
      name: "result",
      json: "result",
      type: output,
      presence: "optional",
      oneof: "content",
      comment: "last of all",
    },
    { name: "lost", json: "lost", type: "int64", presence: "optional", comment: "how many lines were lost" },
  ]);
  const lines: ContractMethod = {
    ...plain,
    name: `${called}Lines`,
    output: line,
    kind: "lines",
    serverStreams: true,
    comment: `${comment}, and what comes while it works`,
  };
  return [{ ...plain, kind: "unary" }, lines];
}

/** Methods without a command: events, figures, consoles. */
function streams(messages: SchemaMessages): ContractMethod[] {
  const given = (json: string, type: string, more: object) => ({
    name: snakeName(json),
    json,
    type,
    ...more,
  });
  const event = messages.custom("Event", [
    {
      name: "id",
      json: "id",
      type: "string",
      presence: "optional",
      comment: "of an event that can be resumed from",
    },
    ...Object.entries(EVENTS).map(([name, { data }]) => ({
      name: snakeName(name),
      json: eventField(name),
      presence: "optional" as const,
      oneof: "event",
      type: messages.message(data as JsonSchema, `${pascalName(name)}Event`, false),
    })),
  ]);
  const watchEvents = messages.custom("WatchEventsRequest", [
    given("since", "string", {
      presence: "optional",
      comment: "id of the last event that was seen: what was missed comes first",
    }) as never,
    given("figures", "bool", { presence: "implicit", comment: "loads of VMs and hosts as well" }) as never,
    given("names", "string", { presence: "repeated", comment: "these events alone, as vm-created" }) as never,
  ]);
  const watchMetrics = messages.custom("WatchMetricsRequest", [
    given("vmIds", "string", {
      presence: "repeated",
      comment: "figures of these VMs alone; without them those of all VMs and hosts",
    }) as never,
  ]);
  const open = messages.request(COMMANDS.open_console.input as JsonSchema, "OpenConsoleRequest");
  const typed = either(messages, "ConsoleInput", [
    "open",
    open,
    "first of all; what is typed comes after it",
  ]);
  const shown = messages.custom("ConsoleOutput", [
    { name: "data", json: "data", type: "bytes", presence: "implicit" },
  ]);
  return [
    {
      name: "WatchEvents",
      kind: "events",
      input: watchEvents,
      output: event,
      serverStreams: true,
      comment: "What happens, as it happens",
    },
    {
      name: "WatchMetrics",
      kind: "metrics",
      input: watchMetrics,
      output: event,
      serverStreams: true,
      comment: "Figures of VMs and hosts, as they are taken",
    },
    {
      name: "Console",
      kind: "console",
      input: typed,
      output: shown,
      clientStreams: true,
      serverStreams: true,
      command: "open_console",
      comment: "A VM's serial line, or its screen as RFB",
    },
  ];
}

/** The contract as a file. @param commands other commands than the contract's: tests add to them */
export function contractFile(lock: NumberLock, commands: CommandTable = COMMANDS): ContractFile {
  const messages = new SchemaMessages(PACKAGE);
  const methods = [
    ...Object.entries(commands).flatMap(([name, command]) => methodsOf(messages, name, command)),
    ...streams(messages),
  ];
  const file: ProtoFile = {
    path: CONTRACT_PATH,
    package: PACKAGE,
    imports: ["google/protobuf/struct.proto"],
    messages: messages.numbered(lock),
    enums: [],
    services: [{ name: SERVICE, methods, comment: "Every command of KVM Manager, and what streams." }],
    comment:
      "KVM Manager's API, generated from its contract: numbers of fields never get a second meaning. See docs/grpc.md.",
  };
  return { file, methods, messages };
}
