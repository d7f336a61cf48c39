import type { ComponentChildren } from "preact";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

type ImagesKey = PlainKeyOf<typeof texts>;

/** The pages on images. */
const TABS: readonly { href: string; label: ImagesKey }[] = [
  { href: "/images", label: "images.here" },
  { href: "/images/catalog", label: "images.catalog" },
  { href: "/images/policy", label: "images.rules" },
];

/** Links between the pages on images. */
export function ImageTabs({ at }: { at: string }) {
  return (
    <nav class="tabs" aria-label={t("images.tabs")}>
      {TABS.map(({ href, label }) => (
        <a key={href} class="tab" href={href} aria-current={href === at ? "page" : undefined}>{t(label)}</a>
      ))}
    </nav>
  );
}

/** A form's buttons. */
export function FormActions({ submit, danger = false, children }: {
  submit: string;
  danger?: boolean;
  children?: ComponentChildren;
}) {
  return (
    <div class="form-actions">
      <button type="submit" class={danger ? "button danger" : "button primary"}>{submit}</button>
      <a class="button" href="/images">{t("images.cancel")}</a>
      {children}
    </div>
  );
}
