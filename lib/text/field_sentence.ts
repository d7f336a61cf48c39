/** A refusal's text as the sentence next to the field that it is about. */
import { t } from "../i18n/mod.ts";

/** The reason alone of a text that says an input is invalid, in the language of what is done now; any other as it is. */
export function reasonOf(message: string): string {
  const prefix = t("failed.invalid_input", { reason: "" });
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

/** Error of a field, as a sentence next to it, without the field's name. */
export function fieldSentence(field: string, message: string): string {
  const reason = reasonOf(message);
  if (reason === message) return message;
  const plain = reason.startsWith(`${field} `) ? reason.slice(field.length + 1) : reason;
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`.replace(/([.。])\.$/, "$1");
}
