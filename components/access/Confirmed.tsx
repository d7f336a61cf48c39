import type { ComponentChildren } from "preact";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(access);

/** Props of {@link Confirmed}. */
export interface ConfirmedProps {
  user: PageUser | null;
  /** The page to come back to. */
  at: string;
  children: ComponentChildren;
}

/** What can be changed only by who has shown just now that it is them: until then they are told to. */
export function Confirmed({ user, at, children }: ConfirmedProps) {
  if (user === null || user.confirmed) return <>{children}</>;
  return (
    <>
      <Flash
        tone="info"
        actions={
          <a class="button" href={`/settings/confirm?to=${encodeURIComponent(at)}`}>
            {t("access.confirm_go")}
          </a>
        }
      >
        {t("access.confirm_what")}
      </Flash>
      {children}
    </>
  );
}
