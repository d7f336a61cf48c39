import { page } from "fresh";
import { AuthLayout } from "../components/access/AuthLayout.tsx";
import { NewPasswordField } from "../components/access/NewPasswordField.tsx";
import { TextField } from "../components/kit/Field.tsx";
import { textIn } from "../lib/text/form_fields.ts";
import { type Failure, failureOf } from "../lib/text/failure.ts";
import { access } from "../lib/i18n/en/access.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { define, type PageState } from "../lib/page_state.ts";
import { postedForm } from "./(_shared)/form.ts";

const { t } = textsOf(access);

interface Shown {
  /** The link's key; empty when it is not good. */
  readonly key: string;
  readonly name: string;
  readonly failure: Failure | null;
}

const shown = ({ setup }: PageState, key: string, more: Partial<Shown> = {}): Shown => ({
  key: setup.fits(key) ? key : "",
  name: "",
  failure: null,
  ...more,
});

export const handler = define.handlers({
  GET({ url, state }) {
    return page(shown(state, url.searchParams.get("key") ?? ""));
  },
  async POST(ctx) {
    const { req, state } = ctx;
    const form = await postedForm(req);
    const key = textIn(form, "key"), name = textIn(form, "name");
    try {
      await state.api.setUp({ key, name, password: textIn(form, "password") });
    } catch (error) {
      const failure = failureOf(error);
      return page(shown(state, key, { name, failure }), { status: failure.status });
    }
    return ctx.redirect("/", 303);
  },
});

/** The first administrator is made here, by whoever has the link. */
export default define.page<typeof handler>(function Setup({ data: { key, name, failure } }) {
  return (
    <AuthLayout title={t("access.setup")} failure={failure}>
      {key === "" ? <p class="setup-dead">{t("access.setup_dead")}</p> : (
        <>
          <p>{t("access.setup_what")}</p>
          <form method="post" action="/setup">
            <input type="hidden" name="key" value={key} />
            <div class="form-grid">
              <TextField
                label={t("access.name")}
                hint={t("access.name_hint")}
                name="name"
                autocomplete="username"
                autocapitalize="none"
                required
                maxLength={32}
                pattern="[a-z][a-z0-9._\-]*"
                defaultValue={name}
                autofocus
              />
              <NewPasswordField
                label={t("access.password")}
                required
                minLength={12}
                again={failure !== null}
              />
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("access.setup_do")}</button>
            </div>
          </form>
        </>
      )}
    </AuthLayout>
  );
});
