/** Files as descriptors: what reflection gives to clients that have no .proto. Pure. Source: google/protobuf/descriptor.proto. */
import { Codec } from "./codec.ts";
import {
  field,
  isScalar,
  localName,
  pascalName,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type Scalar,
} from "./model.ts";

const many = { presence: "repeated" } as const, maybe = { presence: "optional" } as const;

/** descriptor.proto, as far as our files need it. */
const MESSAGES: readonly ProtoMessage[] = [
  {
    name: "FileDescriptorProto",
    fields: [
      field(1, "name", "string"),
      field(2, "package", "string"),
      field(3, "dependency", "string", many),
      field(4, "message_type", "DescriptorProto", many),
      field(5, "enum_type", "EnumDescriptorProto", many),
      field(6, "service", "ServiceDescriptorProto", many),
      field(12, "syntax", "string"),
    ],
  },
  {
    name: "DescriptorProto",
    fields: [
      field(1, "name", "string"),
      field(2, "field", "FieldDescriptorProto", many),
      field(3, "nested_type", "DescriptorProto", many),
      field(7, "options", "MessageOptions", maybe),
      field(8, "oneof_decl", "OneofDescriptorProto", many),
      field(9, "reserved_range", "ReservedRange", many),
      field(10, "reserved_name", "string", many),
    ],
  },
  {
    name: "FieldDescriptorProto",
    fields: [
      field(1, "name", "string"),
      field(3, "number", "int32"),
      field(4, "label", "int32"),
      field(5, "type", "int32"),
      field(6, "type_name", "string"),
      field(9, "oneof_index", "int32", maybe),
      field(10, "json_name", "string"),
      field(17, "proto3_optional", "bool"),
    ],
  },
  { name: "MessageOptions", fields: [field(7, "map_entry", "bool")] },
  { name: "OneofDescriptorProto", fields: [field(1, "name", "string")] },
  { name: "ReservedRange", fields: [field(1, "start", "int32"), field(2, "end", "int32")] },
  {
    name: "EnumDescriptorProto",
    fields: [field(1, "name", "string"), field(2, "value", "EnumValueDescriptorProto", many)],
  },
  {
    name: "EnumValueDescriptorProto",
    fields: [field(1, "name", "string"), field(2, "number", "int32", maybe)],
  },
  {
    name: "ServiceDescriptorProto",
    fields: [field(1, "name", "string"), field(2, "method", "MethodDescriptorProto", many)],
  },
  {
    name: "MethodDescriptorProto",
    fields: [
      field(1, "name", "string"),
      field(2, "input_type", "string"),
      field(3, "output_type", "string"),
      field(5, "client_streaming", "bool"),
      field(6, "server_streaming", "bool"),
    ],
  },
];

/** FieldDescriptorProto.Type. */
const TYPES: Readonly<Record<Scalar | "message" | "enum", number>> = {
  double: 1,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
};
const LABELS = { optional: 1, repeated: 3 } as const;

/** How a field's type is described. */
function typeOf(type: string, enums: ReadonlySet<string>) {
  if (isScalar(type)) return { type: TYPES[type] };
  return { type: enums.has(type) ? TYPES.enum : TYPES.message, typeName: `.${type}` };
}

/** Name of the message that an entry of a map is: protoc takes no other. */
const entryName = ({ name }: ProtoField) => `${pascalName(name)}Entry`;

function messageDescriptor(message: ProtoMessage, enums: ReadonlySet<string>) {
  const { name, reserved = [] } = message;
  // In the order in which the text has them: those of a oneof stand together, behind the others
  const fields = message.fields.toSorted((a, b) =>
    Number(a.oneof !== undefined) - Number(b.oneof !== undefined)
  );
  const isSynthetic = ({ presence, type, oneof }: ProtoField) =>
    presence === "optional" && oneof === undefined && (isScalar(type) || enums.has(type));
  const oneofs = [...new Set(fields.flatMap(({ oneof }) => oneof ?? []))];
  // Those of single fields come last (protoc's rule)
  const synthetic = fields.filter(isSynthetic).map(({ name }) => `_${name}`);
  return {
    name: localName(name),
    field: fields.map((each) => ({
      name: each.name,
      number: each.number,
      label: each.presence === "repeated" || each.presence === "map" ? LABELS.repeated : LABELS.optional,
      ...(each.presence === "map"
        ? { type: TYPES.message, typeName: `.${name}.${entryName(each)}` }
        : typeOf(each.type, enums)),
      jsonName: each.marks === undefined ? each.json : field(0, each.name, "bool").json,
      ...(each.oneof !== undefined && { oneofIndex: oneofs.indexOf(each.oneof) }),
      ...(isSynthetic(each) && {
        oneofIndex: oneofs.length + synthetic.indexOf(`_${each.name}`),
        proto3Optional: true,
      }),
    })),
    nestedType: fields.filter(({ presence }) => presence === "map").map((each) => ({
      name: entryName(each),
      field: [
        { name: "key", number: 1, label: LABELS.optional, type: TYPES.string, jsonName: "key" },
        { name: "value", number: 2, label: LABELS.optional, ...typeOf(each.type, enums), jsonName: "value" },
      ],
      options: { mapEntry: true },
    })),
    oneofDecl: [...oneofs, ...synthetic].map((name) => ({ name })),
    reservedRange: reserved.map(({ number }) => ({ start: number, end: number + 1 })),
    reservedName: reserved.map(({ name }) => name).filter((name) =>
      !fields.some((each) => each.name === name)
    ),
  };
}

/** A file as a serialized FileDescriptorProto. */
export function fileDescriptor(file: ProtoFile): Uint8Array<ArrayBuffer> {
  const enums = new Set(file.enums.map(({ name }) => name));
  return new Codec([{ messages: MESSAGES, enums: [] }]).encode("FileDescriptorProto", {
    name: file.path,
    package: file.package,
    dependency: file.imports,
    messageType: file.messages.map((message) => messageDescriptor(message, enums)),
    enumType: file.enums.map(({ name, values }) => ({
      name: localName(name),
      value: values.map((name, number) => ({ name, number })),
    })),
    service: file.services.map(({ name, methods }) => ({
      name: localName(name),
      method: methods.map((method) => ({
        name: method.name,
        inputType: `.${method.input}`,
        outputType: `.${method.output}`,
        clientStreaming: method.clientStreams ?? false,
        serverStreaming: method.serverStreams ?? false,
      })),
    })),
    syntax: "proto3",
  });
}
