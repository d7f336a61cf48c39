/** Results of tools: our own text, and after it, marked, what others may have written. */
import { randomBytes } from "node:crypto";
import type { Command } from "../../lib/contract/command.ts";
import type { ContractError } from "../../lib/contract/errors.ts";
import { isPicture, PNG } from "../../lib/mcp/resources.ts";
import { withoutSecrets } from "../../lib/mcp/secrets.ts";
import { untrusted, UNTRUSTED_NOTE } from "../../lib/mcp/untrusted.ts";

/** Characters of the largest picture, in base64. */
const MOST_PICTURE = 4_000_000;
/** In `_meta` of what others may have written. */
export const UNTRUSTED_META = { "kvm-manager/untrusted": true } as const;

/** One part of a result. */
export type ResultPart =
  | { readonly type: "text"; readonly text: string; readonly _meta?: Record<string, unknown> }
  | {
    readonly type: "image";
    readonly data: string;
    readonly mimeType: string;
    readonly _meta?: Record<string, unknown>;
  };

/** Answer of a tool. */
export interface ToolAnswer {
  readonly content: ResultPart[];
  readonly isError?: true;
  readonly [key: string]: unknown;
}

/** A text of ours. */
export const ours = (value: unknown): ResultPart => ({
  type: "text",
  text: typeof value === "string" ? value : JSON.stringify(value, null, 1),
});

/** Content that others may have written, between marks that they cannot know. */
export function theirs(value: unknown): ResultPart {
  const { text, isCut } = untrusted(randomBytes(12).toString("hex"), value);
  const cut = isCut ? " It is too long, and ends in the middle: ask for fewer entries or fields." : "";
  return { type: "text", text: `${UNTRUSTED_NOTE}${cut}\n${text}`, _meta: UNTRUSTED_META };
}

/** A command's answer as parts: without secrets, a screen as a picture. */
export function partsOf(row: Command, answer: unknown): ResultPart[] {
  const shown = withoutSecrets(row.output, answer);
  if (isPicture(row)) {
    const { [row.file!.field]: data, ...facts } = shown as Record<string, unknown>;
    // Of a picture some fields were chosen, and not itself
    if (typeof data !== "string") return [theirs(facts)];
    if (data.length > MOST_PICTURE) {
      return [ours("The picture is too large. Ask for a thumbnail."), theirs(facts)];
    }
    const note = `${UNTRUSTED_NOTE} That holds for the picture as well.`;
    return [ours(note), theirs(facts), { type: "image", data, mimeType: PNG, _meta: UNTRUSTED_META }];
  }
  return [theirs(shown)];
}

/** An error as a tool's result: its code is ours, its text may repeat what others wrote. */
export function errorAnswer(error: ContractError): ToolAnswer {
  return {
    isError: true,
    content: [ours({ error: error.code, status: error.status }), theirs(error.toJSON())],
  };
}
