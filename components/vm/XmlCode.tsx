import { xmlLines } from "../../lib/vm/xml_tokens.ts";
import { xmlPage as texts } from "../../lib/i18n/en/xml.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** A document with its lines numbered and its parts coloured. Coloured by spans of text: nothing in it is markup. */
export function XmlCode({ xml }: { xml: string }) {
  return (
    <div class="code" tabIndex={0} role="region" aria-label={t("xml.document")}>
      <pre><code>{xmlLines(xml).map((tokens, index) => (
        <span key={index} class="code-line">
          {tokens.map(({ kind, text }, place) =>
            kind === "text" ? text : <span key={place} data-token={kind}>{text}</span>
          )}
          {"\n"}
        </span>
      ))}</code></pre>
    </div>
  );
}
