import { CopyButton } from "../components/kit/CopyButton.tsx";

/** A button that copies a text of the page. */
export default function CopyText({ text, what }: { text: string; what: string }) {
  return <CopyButton text={text} what={what} labelled />;
}
