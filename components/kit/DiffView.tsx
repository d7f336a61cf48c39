import { type DiffLine, diffLines, diffParts } from "../../lib/text/diff.ts";
import { xmlPage } from "../../lib/i18n/en/xml.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t, plural } = textsOf(xmlPage);

function Line({ line: { kind, text, old, new: now } }: { line: DiffLine }) {
  return (
    <span class="diff-line" data-kind={kind}>
      <span class="diff-number" aria-hidden="true">{old ?? ""}</span>
      <span class="diff-number" aria-hidden="true">{now ?? ""}</span>
      <span class="diff-mark">
        {kind === "added" ? "+" : kind === "removed" ? "−" : " "}
        {kind !== "same" && (
          <span class="visually-hidden">{t(kind === "added" ? "xml.added" : "xml.removed")}</span>
        )}
      </span>
      <span class="diff-text">{text}</span>
      {"\n"}
    </span>
  );
}

/** Changes of an edit: removed and added lines, with a few around them. */
export function DiffView({ before, after }: { before: string; after: string }) {
  return (
    <div class="diff" tabIndex={0} role="region" aria-label={t("xml.review_title")}>
      <pre>{diffParts(diffLines(before, after)).map((part, index) =>
        "skipped" in part
          ? <span key={index} class="diff-skipped">{plural("xml.skipped", part.skipped)}</span>
          : part.lines.map((line) => <Line key={`${line.kind} ${line.old} ${line.new}`} line={line} />)
      )}</pre>
    </div>
  );
}
