import type { ComponentChildren } from "preact";
import type { Failure } from "../../lib/format/failure.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { FailureText } from "../FailureText.tsx";
import { Icon } from "../Icon.tsx";

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

/** What a form that led here did → what is said of it. */
const DONE: Readonly<Record<string, ImagesKey>> = {
  delete: "images.done_delete",
  download: "images.done_download",
  rules: "images.done_rules",
};

/** What a form that led here did, from `?done=`: a word of ours, whatever the address says. */
export function ImagesDone({ done }: { done: string | null }) {
  if (done === null || !Object.hasOwn(DONE, done)) return null;
  return (
    <p class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <span>{t(DONE[done]!)}</span>
    </p>
  );
}

/** Why something was not done. */
export function ImagesFailure({ failure, title }: { failure: Failure | null; title: ImagesKey }) {
  if (failure === null) return null;
  return (
    <div class="banner inset" data-tone="bad" role="alert">
      <Icon name="circleAlert" />
      <div>
        <strong>{t(title)}</strong>
        <FailureText failure={failure} />
      </div>
    </div>
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
