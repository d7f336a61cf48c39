import { passkeys } from "../../lib/i18n/en/passkeys.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(passkeys);

/** Texts by the names of browsers' errors. */
const WORDS: Readonly<Record<string, PlainKeyOf<typeof passkeys>>> = {
  NotAllowedError: "passkeys.cancelled",
  AbortError: "passkeys.cancelled",
  InvalidStateError: "passkeys.known",
  SecurityError: "passkeys.none_here",
};

/** Why nothing came of a passkey; nothing while all is well. */
export function PasskeyTrouble({ error }: { error: unknown }) {
  if (error === null) return null;
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  return <Flash tone="bad">{Object.hasOwn(WORDS, name) ? t(WORDS[name]!) : message}</Flash>;
}
