import type { ComponentChildren } from "preact";
import { Head } from "fresh/runtime";
import type { Failure } from "../../lib/text/failure.ts";
import { t } from "../../lib/i18n/mod.ts";
import { LanguageForm } from "../shell/LanguageForm.tsx";
import { Logo } from "../shell/Logo.tsx";
import { Flash } from "../kit/Flash.tsx";

/** Props of {@link AuthLayout}. */
export interface AuthLayoutProps {
  title: string;
  failure?: Failure | null;
  children: ComponentChildren;
}

/** The page of who is not in yet: one panel, nothing of the host. */
export function AuthLayout({ title, failure, children }: AuthLayoutProps) {
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
        <Flash tone="bad" failure={failure} />
        {children}
      </section>
      <LanguageForm class="sign-in-languages" option="language-option" />
    </div>
  );
}
