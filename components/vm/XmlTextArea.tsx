import type { Ref } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { indent, lineBreak, type Replacement } from "../../lib/client/xml_edit.ts";
import type { XmlProblem } from "../../lib/contract/mod.ts";
import { xmlLines, type XmlToken } from "../../lib/vm/xml_tokens.ts";
import { xmlPage as texts } from "../../lib/i18n/en/xml.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { memo } from "../kit/memo.ts";

const { t } = textsOf(texts);

/** Longest note next to a line; the whole message stands below. */
const LONGEST_NOTE = 120;

/** Tokens as one text, so that a line is rendered again only when it changed. */
const keyOf = (tokens: readonly XmlToken[]) => tokens.map(({ kind, text }) => `${kind}\t${text}`).join("\n");

const Line = memo(function Line({ tokens, note }: { tokens: string; note: string | undefined }) {
  return (
    <span class="code-line" data-problem={note === undefined ? undefined : ""}>
      {tokens !== "" && tokens.split("\n").map((token, place) => {
        const tab = token.indexOf("\t");
        const kind = token.slice(0, tab), text = token.slice(tab + 1);
        return kind === "text" ? text : <span key={place} data-token={kind}>{text}</span>;
      })}
      {note !== undefined && <span class="code-note">{note}</span>}
      {"\n"}
    </span>
  );
});

/** Props of {@link XmlTextArea}. */
export interface XmlTextAreaProps {
  text: string;
  problem: XmlProblem | null;
  onText: (text: string) => void;
  area: Ref<HTMLTextAreaElement>;
  describedBy: string;
}

/** Makes a change as if it was typed: the browser can undo it. */
function type(area: HTMLTextAreaElement, { from, to, by }: Replacement): void {
  area.setSelectionRange(from, to);
  if (!document.execCommand("insertText", false, by)) {
    area.setRangeText(by, from, to, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

/** A text area over its own text in colours, with line numbers. Without script it is a plain text area. */
export function XmlTextArea({ text, problem, onText, area, describedBy }: XmlTextAreaProps) {
  const isLive = useSignal(false);
  /** Tab moves on until something was typed, and after Escape: the keyboard is not trapped here. */
  const leaving = useRef(true);
  useEffect(() => {
    isLive.value = true;
  }, []);
  const lines = xmlLines(text);
  if (text.endsWith("\n")) lines.push([]);
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }) => {
    if (event.key === "Escape") leaving.current = true;
    else if (!["Tab", "Shift", "Control", "Alt", "Meta"].includes(event.key)) leaving.current = false;
    const modified = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
    if (modified || (event.key === "Tab" ? leaving.current : event.key !== "Enter")) return;
    const { value, selectionStart: start, selectionEnd: end } = event.currentTarget;
    const edit = { text: value, start, end };
    const change = event.key === "Tab" ? indent(edit, event.shiftKey) : lineBreak(edit);
    event.preventDefault();
    if (change !== null) type(event.currentTarget, change);
  };
  return (
    <div class="xml-editor" data-live={isLive.value ? "" : undefined}>
      <div class="xml-sheet">
        <pre aria-hidden="true"><code>{lines.map((tokens, index) => (
          <Line
            key={index}
            tokens={keyOf(tokens)}
            note={problem?.line === index + 1 ? problem.message.split("\n")[0]!.slice(0, LONGEST_NOTE) : undefined}
          />
        ))}</code></pre>
        <textarea
          ref={area}
          name="xml"
          value={text}
          required
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          wrap="off"
          aria-label={t("xml.document")}
          aria-describedby={describedBy}
          aria-invalid={problem === null ? undefined : "true"}
          onInput={(event) => onText(event.currentTarget.value)}
          onFocus={() => leaving.current = true}
          onPointerDown={() => setTimeout(() => leaving.current = false)}
          onKeyDown={onKeyDown}
        />
      </div>
    </div>
  );
}
