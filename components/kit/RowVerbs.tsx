import { t } from "../../lib/i18n/mod.ts";
import { ActionLink } from "./ActionLink.tsx";
import { MoreMenu } from "./MoreMenu.tsx";

/** One of the things that can be done to a row. */
export interface RowVerb {
  /** Its word. */
  text: string;
  /** Action and its object, for screen readers. */
  label: string;
  /** The page that asks for what it needs; followed where there is no `onAct`, or no script. */
  href: string;
  onAct?: () => void;
  /** Why it cannot be done to this row. */
  whyNot?: string | undefined;
  /** It takes something away: never in sight, always in the menu. */
  danger?: boolean;
}

/** Props of {@link RowVerbs}. */
export interface RowVerbsProps {
  /** Name of the row's object, as it stands in a sentence. */
  name: string;
  /** The most likely first. */
  verbs: readonly RowVerb[];
  /** Whether anything can be done now. */
  enabled: boolean;
}

/** Actions of a table's row: the most likely in sight, the rest behind `⋯`. Links, without script too. */
export function RowVerbs({ name, verbs, enabled }: RowVerbsProps) {
  const [head, ...tail] = verbs;
  const primary = head?.danger ? undefined : head;
  const rest = primary === undefined ? verbs : tail;
  return (
    <>
      {primary && (
        <ActionLink
          class="button ghost"
          href={primary.href}
          enabled={enabled && primary.whyNot === undefined}
          title={primary.whyNot}
          aria-label={primary.label}
          {...(primary.onAct && { onAct: primary.onAct })}
        >
          {primary.text}
        </ActionLink>
      )}
      {rest.length > 0 && (
        <MoreMenu label={t("menu.of", { name })} quiet>
          {rest.map(({ text, label, href, onAct, whyNot, danger }) => (
            <ActionLink
              key={text}
              class="menu-item"
              role="menuitem"
              {...(danger && { "data-danger": "" })}
              href={href}
              enabled={enabled && whyNot === undefined}
              title={whyNot}
              aria-label={label}
              {...(onAct && { onAct })}
            >
              {text}
            </ActionLink>
          ))}
        </MoreMenu>
      )}
    </>
  );
}
