import type { ComponentChildren } from "preact";
import { Head } from "fresh/runtime";
import type { Failure } from "../../lib/format/failure.ts";
import { t } from "../../lib/i18n/mod.ts";
import { FailureText } from "../FailureText.tsx";
import { Logo } from "../Logo.tsx";

/** Props of {@link Entrance}. */
export interface EntranceProps {
  title: string;
  failure?: Failure | null;
  children: ComponentChildren;
}

/** The page of who is not in yet: one panel, nothing of the host. */
export function Entrance({ title, failure, children }: EntranceProps) {
  return (
    <div class="sign-in">
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <p class="sign-in-brand">
        <Logo />
        {t("app.name")}
      </p>
      <section class="panel" aria-labelledby="entrance">
        <header class="panel-head">
          <h1 id="entrance" class="panel-title">{title}</h1>
        </header>
        {failure && (
          <div class="banner inset" data-tone="bad" role="alert">
            <div>
              <FailureText failure={failure} />
            </div>
          </div>
        )}
        {children}
      </section>
    </div>
  );
}
