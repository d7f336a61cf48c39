import type { ComponentChildren } from "preact";
import { FailureText, type Reason } from "./FailureText.tsx";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./icons.ts";

/** How good or bad news are: done, to be known, to be minded, refused. */
export type FlashTone = "ok" | "info" | "warn" | "bad";

const LOOKS: Readonly<Record<FlashTone, { icon: IconName; role: "status" | "alert" | undefined }>> = {
  ok: { icon: "check", role: "status" },
  info: { icon: "info", role: "status" },
  warn: { icon: "alert", role: undefined },
  bad: { icon: "circleAlert", role: "alert" },
};

/** Props of {@link Flash}. */
export interface FlashProps {
  tone: FlashTone;
  /** Instead of the tone's own. */
  icon?: IconName;
  /** Title, in a few words. */
  title?: string | undefined;
  /** Why it was refused, and what to do. */
  failure?: Reason | null | undefined;
  /** A live region around it says it to screen readers already. */
  quiet?: boolean;
  class?: string;
  /** Remedies: buttons and links, next to the text if there is room. */
  actions?: ComponentChildren;
  children?: ComponentChildren;
}

/** Bar with a result, a refusal or a note, across its part of the page. Nothing without a text. */
export function Flash(
  { tone, icon, title, failure, quiet = false, class: extra, actions, children }: FlashProps,
) {
  if (!failure && !children && (title === undefined || failure === null)) return null;
  const look = LOOKS[tone];
  return (
    <div
      class={extra === undefined ? "banner" : `banner ${extra}`}
      data-tone={tone}
      role={quiet ? undefined : look.role}
    >
      <Icon name={icon ?? look.icon} />
      <div class="banner-text">
        {title !== undefined && <strong>{title}</strong>} {children}
        {failure && <FailureText failure={failure} />}
      </div>
      {actions && <div class="banner-actions">{actions}</div>}
    </div>
  );
}
