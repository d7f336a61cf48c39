/** A refusal's text as the sentence beside the field that it is about. */

const PREFIX = "Invalid input: ";

/** What is wrong with a field, as a sentence beside it: its own name is not said again. */
export function fieldSentence(field: string, message: string): string {
  if (!message.startsWith(PREFIX)) return message;
  const reason = message.slice(PREFIX.length);
  const plain = reason.startsWith(`${field} `) ? reason.slice(field.length + 1) : reason;
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`.replace(/\.\.$/, ".");
}
