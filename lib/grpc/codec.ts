/**
 * JSON values as messages and back, by the messages' tables: what is read is what was written, as far as its schema has it.
 * The wire format is @bufbuild/protobuf's. Pure.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { isScalar, type ProtoEnum, type ProtoField, type ProtoMessage, type Scalar } from "./model.ts";

/** Messages in messages, at most: what is deeper is no message of ours. */
const MOST_DEEP = 64;

/** Bytes that are no such message. */
export class NoMessage extends Error {
  override readonly name = "NoMessage";
}

type Fields = Record<string, unknown>;

/** How a value is written behind its tag, and read. */
interface Kind {
  readonly wire: WireType;
  write(writer: BinaryWriter, value: unknown): void;
  /** @param before what was read for the field before, of a message that comes in parts */
  read(reader: BinaryReader, depth: number, before?: unknown): unknown;
  /** Value that is left out in a field without presence. */
  readonly zero: unknown;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function safe(value: bigint | string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new NoMessage(`${value} is beyond what is exact: ±2^53`);
}

const whole = (value: unknown): number => {
  const number = Math.round(Number(value));
  return Number.isSafeInteger(number) ? number : 0;
};

const SCALAR_KINDS: Readonly<Record<Scalar, Kind>> = {
  string: {
    wire: WireType.LengthDelimited,
    zero: "",
    write: (writer, value) => writer.string(String(value)),
    read: (reader) => utf8.decode(reader.bytes()),
  },
  bytes: {
    wire: WireType.LengthDelimited,
    zero: new Uint8Array(),
    write: (writer, value) => writer.bytes(value as Uint8Array),
    read: (reader) => reader.bytes(),
  },
  bool: {
    wire: WireType.Varint,
    zero: false,
    write: (writer, value) => writer.bool(Boolean(value)),
    read: (reader) => reader.bool(),
  },
  double: {
    wire: WireType.Bit64,
    zero: 0,
    write: (writer, value) => writer.double(Number(value)),
    read: (reader) => {
      const value = reader.double();
      if (Number.isFinite(value)) return value;
      throw new NoMessage(`${value} is no number that JSON has`);
    },
  },
  int64: {
    wire: WireType.Varint,
    zero: 0,
    write: (writer, value) => writer.int64(whole(value)),
    read: (reader) => safe(reader.int64()),
  },
  uint64: {
    wire: WireType.Varint,
    zero: 0,
    write: (writer, value) => writer.uint64(Math.max(0, whole(value))),
    read: (reader) => safe(reader.uint64()),
  },
  int32: {
    wire: WireType.Varint,
    zero: 0,
    write: (writer, value) => writer.int32(whole(value) | 0),
    read: (reader) => reader.int32(),
  },
  uint32: {
    wire: WireType.Varint,
    zero: 0,
    write: (writer, value) => writer.uint32(whole(value) >>> 0),
    read: (reader) => reader.uint32(),
  },
};

/** Reads what stands in a length, field by field. */
function readFields(
  reader: BinaryReader,
  depth: number,
  take: (number: number, wire: WireType) => boolean,
): void {
  if (depth > MOST_DEEP) throw new NoMessage(`it has more than ${MOST_DEEP} messages in each other`);
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new NoMessage("it ends too early");
  while (reader.pos < end) {
    const [number, wire] = reader.tag();
    if (!take(number, wire)) reader.skip(wire, number);
  }
  if (reader.pos !== end) throw new NoMessage("a field is longer than its message");
}

/** google.protobuf.Value, ListValue and Struct. Source: google/protobuf/struct.proto. */
const VALUE: Kind = {
  wire: WireType.LengthDelimited,
  zero: undefined,
  write: (writer, value) => {
    writer.fork();
    if (value === null || value === undefined) writer.tag(1, WireType.Varint).int32(0);
    else if (typeof value === "number") writer.tag(2, WireType.Bit64).double(value);
    else if (typeof value === "string") writer.tag(3, WireType.LengthDelimited).string(value);
    else if (typeof value === "boolean") writer.tag(4, WireType.Varint).bool(value);
    else if (Array.isArray(value)) {
      writer.tag(6, WireType.LengthDelimited).fork();
      for (const each of value) VALUE.write(writer.tag(1, WireType.LengthDelimited), each);
      writer.join();
    } else STRUCT.write(writer.tag(5, WireType.LengthDelimited), value);
    writer.join();
  },
  read: (reader, depth) => {
    let value: unknown = null;
    readFields(reader, depth, (number, wire) => {
      if (number === 1 && wire === WireType.Varint) {
        reader.int32();
        value = null;
      } else if (number === 2 && wire === WireType.Bit64) value = SCALAR_KINDS.double.read(reader, depth);
      else if (number === 3 && wire === WireType.LengthDelimited) {
        value = SCALAR_KINDS.string.read(reader, depth);
      } else if (number === 4 && wire === WireType.Varint) value = reader.bool();
      else if (number === 5 && wire === WireType.LengthDelimited) value = STRUCT.read(reader, depth + 1);
      else if (number === 6 && wire === WireType.LengthDelimited) {
        const list: unknown[] = [];
        readFields(reader, depth + 1, (number, wire) => {
          if (number !== 1 || wire !== WireType.LengthDelimited) return false;
          list.push(VALUE.read(reader, depth + 2));
          return true;
        });
        value = list;
      } else return false;
      return true;
    });
    return value;
  },
};

const STRUCT: Kind = {
  wire: WireType.LengthDelimited,
  zero: undefined,
  write: (writer, value) => {
    writer.fork();
    for (const [key, each] of Object.entries(value as Fields)) {
      if (each !== undefined) writeEntry(writer.tag(1, WireType.LengthDelimited), key, VALUE, each);
    }
    writer.join();
  },
  read: (reader, depth) => {
    const fields: Fields = {};
    readFields(reader, depth, (number, wire) => {
      if (number !== 1 || wire !== WireType.LengthDelimited) return false;
      const [key, value] = readEntry(reader, depth + 1, VALUE);
      setOwn(fields, key, value ?? null);
      return true;
    });
    return fields;
  },
};

/** Sets a field of that name, whatever it is: `__proto__` is one like any other. */
function setOwn(fields: Fields, key: string, value: unknown): void {
  Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true });
}

function writeEntry(writer: BinaryWriter, key: string, kind: Kind, value: unknown): void {
  writer.fork().tag(1, WireType.LengthDelimited).string(key);
  kind.write(writer.tag(2, kind.wire), value);
  writer.join();
}

function readEntry(reader: BinaryReader, depth: number, kind: Kind): [key: string, value: unknown] {
  let key = "", value: unknown = kind.zero;
  readFields(reader, depth, (number, wire) => {
    if (number === 1 && wire === WireType.LengthDelimited) key = utf8.decode(reader.bytes());
    else if (number === 2 && wire === kind.wire) value = kind.read(reader, depth + 1, undefined);
    else return false;
    return true;
  });
  return [key, value];
}

/** A field as it is written and read. */
interface Row extends ProtoField {
  readonly kind: Kind;
}

/** One message. */
class MessageKind implements Kind {
  readonly wire = WireType.LengthDelimited;
  readonly zero = undefined;
  readonly #byNumber = new Map<number, Row>();
  #rows: readonly Row[] = [];

  constructor(private readonly message: ProtoMessage) {}

  /** Binds the fields to their kinds; messages may be in each other. */
  bind(kindOf: (type: string) => Kind): void {
    this.#rows = this.message.fields.map((each) => ({ ...each, kind: kindOf(each.type) }));
    for (const row of this.#rows) this.#byNumber.set(row.number, row);
  }

  write(writer: BinaryWriter, value: unknown): void {
    writer.fork();
    this.writeBare(writer, value);
    writer.join();
  }

  writeBare(writer: BinaryWriter, value: unknown): void {
    const { wraps, isNull } = this.message;
    if (isNull || value === undefined) return;
    const fields = wraps !== undefined ? { [wraps]: value } : value as Fields | null;
    if (fields === null) return;
    for (const row of this.#rows) writeField(writer, row, fields[row.json]);
  }

  read(reader: BinaryReader, depth: number, before?: unknown): unknown {
    const { wraps, isNull } = this.message;
    const found: Fields = wraps === undefined && before !== undefined && before !== null
      ? before as Fields
      : {};
    const marked: Row[] = [];
    readFields(reader, depth, (number, wire) => {
      const row = this.#byNumber.get(number);
      if (row === undefined) return false;
      if (row.marks !== undefined && wire === WireType.Varint) {
        if (reader.bool()) marked.push(row);
        return true;
      }
      return readField(reader, { row, wire, found, depth });
    });
    for (const { json, marks } of marked) {
      if (Object.hasOwn(found, json)) {
        throw new NoMessage(`${json} has a value, and is said to be ${marks}`);
      }
      const row = this.#rows.find((each) => each.json === json && each.marks === undefined)!;
      setOwn(found, json, marks === "null" ? null : row.presence === "map" ? {} : []);
    }
    this.#fillIn(found);
    if (isNull) return null;
    return wraps === undefined ? found : found[wraps] ?? null;
  }

  /** Adds values that take no bytes: required lists and maps, zeros of fields without presence. */
  #fillIn(found: Fields): void {
    for (const { json, presence, kind, marks, isNullable } of this.#rows) {
      if (marks !== undefined || Object.hasOwn(found, json)) continue;
      if (isNullable) found[json] = null;
      else if (presence === "implicit") found[json] = kind.zero;
      else if (presence === "repeated" || presence === "map") {
        const isOptional = this.#rows.some((each) => each.json === json && each.marks !== undefined);
        if (!isOptional) found[json] = presence === "map" ? {} : [];
      }
    }
  }
}

function writeField(writer: BinaryWriter, { number, presence, marks, kind }: Row, value: unknown): void {
  if (marks === "null") {
    if (value === null) writer.tag(number, WireType.Varint).bool(true);
    return;
  }
  if (value === undefined) return;
  if (value === null) {
    if (kind === VALUE && presence === "optional") kind.write(writer.tag(number, kind.wire), value);
    return;
  }
  if (marks === "empty") {
    const isEmpty = Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
    if (isEmpty) writer.tag(number, WireType.Varint).bool(true);
  } else if (presence === "repeated") {
    const list = value as readonly unknown[];
    if (list.length === 0) return;
    if (kind.wire === WireType.LengthDelimited) {
      for (const each of list) kind.write(writer.tag(number, kind.wire), each);
    } else {
      writer.tag(number, WireType.LengthDelimited).fork();
      for (const each of list) kind.write(writer, each);
      writer.join();
    }
  } else if (presence === "map") {
    for (const [key, each] of Object.entries(value)) {
      if (each !== undefined) writeEntry(writer.tag(number, WireType.LengthDelimited), key, kind, each);
    }
  } else if (presence === "optional" || !isZero(kind, value)) {
    kind.write(writer.tag(number, kind.wire), value);
  }
}

const isZero = ({ zero }: Kind, value: unknown) =>
  zero instanceof Uint8Array ? (value as Uint8Array).length === 0 : value === zero;

function readField(
  reader: BinaryReader,
  { row, wire, found, depth }: { row: Row; wire: WireType; found: Fields; depth: number },
): boolean {
  const { json, kind, presence } = row;
  const here = Object.hasOwn(found, json) ? found[json] : undefined;
  if (presence === "repeated") {
    const list = (here ?? []) as unknown[];
    if (wire === kind.wire) list.push(kind.read(reader, depth + 1));
    else if (wire === WireType.LengthDelimited && kind.wire !== WireType.LengthDelimited) {
      const end = reader.uint32() + reader.pos;
      if (end > reader.len) throw new NoMessage("it ends too early");
      while (reader.pos < end) list.push(kind.read(reader, depth + 1));
    } else return false;
    setOwn(found, json, list);
  } else if (presence === "map") {
    if (wire !== WireType.LengthDelimited) return false;
    const fields = (here ?? {}) as Fields, [key, value] = readEntry(reader, depth + 1, kind);
    setOwn(fields, key, value);
    setOwn(found, json, fields);
  } else {
    if (wire !== kind.wire) return false;
    setOwn(found, json, kind.read(reader, depth + 1, here));
  }
  return true;
}

/** An enumeration, by its values' names. A number that it does not know is told as such. */
function enumKind({ values }: ProtoEnum): Kind {
  return {
    wire: WireType.Varint,
    zero: values[0],
    write: (writer, value) => writer.int32(Math.max(0, values.indexOf(value as string))),
    read: (reader) => {
      const number = reader.int32();
      return values[number] ?? String(number);
    },
  };
}

/** Writes and reads messages of files. */
export class Codec {
  readonly #kinds = new Map<string, Kind>([
    ...Object.entries(SCALAR_KINDS),
    ["google.protobuf.Value", VALUE],
    ["google.protobuf.Struct", STRUCT],
  ]);

  /** @param files all that refer to each other @throws {Error} for a type that none of them has */
  constructor(files: readonly { messages: readonly ProtoMessage[]; enums: readonly ProtoEnum[] }[]) {
    const made: MessageKind[] = [];
    for (const { messages, enums } of files) {
      for (const each of enums) this.#kinds.set(each.name, enumKind(each));
      for (const each of messages) {
        if (this.#kinds.has(each.name)) continue;
        const kind = new MessageKind(each);
        made.push(kind);
        this.#kinds.set(each.name, kind);
      }
    }
    for (const kind of made) kind.bind((type) => this.#kind(type));
  }

  /** A value as a message. What the message has no field for is left out. */
  encode(type: string, value: unknown): Uint8Array<ArrayBuffer> {
    const writer = new BinaryWriter();
    (this.#kind(type) as MessageKind).writeBare(writer, value);
    return writer.finish() as Uint8Array<ArrayBuffer>;
  }

  /** The value that a message stands for. @throws {NoMessage} */
  decode(type: string, bytes: Uint8Array): unknown {
    // Read as a part of a message: its length in front
    const head = new BinaryWriter().uint32(bytes.length).finish();
    const whole = new Uint8Array(head.length + bytes.length);
    whole.set(head);
    whole.set(bytes, head.length);
    try {
      return this.#kind(type).read(new BinaryReader(whole), 0);
    } catch (error) {
      if (error instanceof NoMessage) throw error;
      throw new NoMessage(error instanceof Error ? error.message.slice(0, 200) : "", { cause: error });
    }
  }

  #kind(type: string): Kind {
    const kind = this.#kinds.get(type);
    if (kind === undefined) throw new Error(`there is no type ${type}${isScalar(type) ? " here" : ""}`);
    return kind;
  }
}
