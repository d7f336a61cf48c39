/** A file as .proto text, for people and protoc. Pure. */
import {
  isScalar,
  localName,
  protocJsonName,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoService,
} from "./model.ts";

/** Columns that a comment may take. */
const WIDTH = 100;

/** A comment in lines of their own. */
function commentLines(text: string | undefined, indent: string): string[] {
  if (text === undefined) return [];
  const lines: string[] = [];
  let line = `${indent}//`;
  for (const word of text.split(/\s+/)) {
    if (line.length + word.length >= WIDTH && line !== `${indent}//`) {
      lines.push(line);
      line = `${indent}//`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** A type as it is written in a package. */
const typeIn = (type: string, packageName: string) =>
  !isScalar(type) && type.startsWith(`${packageName}.`) ? type.slice(packageName.length + 1) : type;

function fieldLine(field: ProtoField, packageName: string): string {
  const { name, json, number, presence, oneof, marks } = field;
  const type = typeIn(field.type, packageName);
  const isMessage = type === field.type ? !isScalar(type) : true;
  const label = presence === "repeated"
    ? `repeated ${type}`
    : presence === "map"
    ? `map<string, ${type}>`
    : presence === "optional" && oneof === undefined && !isMessage
    ? `optional ${type}`
    : type;
  const option = marks === undefined && protocJsonName(name) !== json ? ` [json_name = "${json}"]` : "";
  return `${label} ${name} = ${number}${option};`;
}

function fieldLines(fields: readonly ProtoField[], packageName: string, indent: string): string[] {
  return fields.flatMap((field) => [
    ...commentLines(field.comment, indent),
    `${indent}${fieldLine(field, packageName)}`,
  ]);
}

function messageLines({ name, fields, reserved, comment }: ProtoMessage, packageName: string): string[] {
  const oneofs = [...new Set(fields.flatMap(({ oneof }) => oneof ?? []))];
  const plain = fields.filter(({ oneof }) => oneof === undefined);
  const inside = [
    ...(reserved ?? []).flatMap(({ number, name }) => [
      `  reserved ${number};`,
      ...(fields.some((each) => each.name === name) ? [] : [`  reserved "${name}";`]),
    ]),
    ...fieldLines(plain, packageName, "  "),
    ...oneofs.flatMap((oneof) => [
      `  oneof ${oneof} {`,
      ...fieldLines(fields.filter((each) => each.oneof === oneof), packageName, "    "),
      "  }",
    ]),
  ];
  const head = `message ${localName(name)} {`;
  return [...commentLines(comment, ""), ...(inside.length === 0 ? [`${head}}`] : [head, ...inside, "}"]), ""];
}

function serviceLines({ name, methods, comment }: ProtoService, packageName: string): string[] {
  const of = (type: string, streams: boolean | undefined) =>
    `(${streams ? "stream " : ""}${typeIn(type, packageName)})`;
  return [
    ...commentLines(comment, ""),
    `service ${localName(name)} {`,
    ...methods.flatMap((method) => [
      ...commentLines(method.comment, "  "),
      `  rpc ${method.name}${of(method.input, method.clientStreams)} returns ${
        of(method.output, method.serverStreams)
      };`,
    ]),
    "}",
    "",
  ];
}

/** The file as text. */
export function protoText(file: ProtoFile): string {
  return [
    ...commentLines(file.comment, ""),
    `syntax = "proto3";`,
    "",
    `package ${file.package};`,
    "",
    ...file.imports.map((path) => `import "${path}";`),
    ...(file.imports.length > 0 ? [""] : []),
    ...file.services.flatMap((service) => serviceLines(service, file.package)),
    ...file.enums.flatMap(({ name, values }) => [
      `enum ${localName(name)} {`,
      ...values.map((value, number) => `  ${value} = ${number};`),
      "}",
      "",
    ]),
    ...file.messages.flatMap((message) => messageLines(message, file.package)),
  ].join("\n").replace(/\n+$/, "\n");
}
