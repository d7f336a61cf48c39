import { page } from "fresh";
import { CurrentPasswordField } from "../components/access/CurrentPasswordField.tsx";
import { AuthLayout } from "../components/access/AuthLayout.tsx";
import { TextField } from "../components/kit/Field.tsx";
import { textIn } from "../lib/text/form_fields.ts";
import { type Failure, failureOf } from "../lib/text/failure.ts";
import { returnPath } from "../lib/text/return_path.ts";
import { access } from "../lib/i18n/en/access.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import CopyText from "../islands/CopyText.tsx";
import PasskeySignIn from "../islands/PasskeySignIn.tsx";
import ShowPassword from "../islands/ShowPassword.tsx";
import { hasHostName, localhostOf } from "../lib/access/host_name.ts";
import { define, type PageState } from "../lib/page_state.ts";
import { postedForm } from "./(_shared)/form.ts";

const { t } = textsOf(access);

/** Command that makes the setup link for the first administrator. */
const SETUP_COMMAND = "kvm-manager setup-link";

/** Data of the page: the first step or, with a challenge, the second. */
interface Shown {
  readonly to: string;
  readonly name: string;
  readonly challenge: string | null;
  /** Factors that the second step accepts. */
  readonly factors: readonly string[];
  readonly failure: Failure | null;
  /** No account can sign in yet. */
  readonly empty: boolean;
}

const shown = ({ setup }: PageState, more: Partial<Shown>): Shown => ({
  to: "/",
  name: "",
  challenge: null,
  factors: [],
  failure: null,
  empty: setup.isEmpty,
  ...more,
});

export const handler = define.handlers({
  GET(ctx) {
    const to = returnPath(ctx.url.searchParams.get("to"));
    return ctx.state.user === null ? page(shown(ctx.state, { to })) : ctx.redirect(to, 303);
  },
  async POST(ctx) {
    const { req, state } = ctx;
    const form = await postedForm(req);
    const to = returnPath(form.get("to")),
      name = textIn(form, "name"),
      challenge = textIn(form, "challenge");
    try {
      const step = challenge === ""
        ? await state.api.signIn({ name, password: textIn(form, "password") })
        : await state.api.confirmSignIn({ challenge, code: textIn(form, "code") });
      if (step.state === "signed-in") return ctx.redirect(to, 303);
      return page(shown(ctx.state, { to, challenge: step.challenge, factors: step.secondFactors }));
    } catch (error) {
      const failure = failureOf(error);
      // A wrong code may be tried again; a sign-in that is over begins again.
      const again = challenge !== "" && failure.code !== "SignInExpired"
        ? { challenge, factors: textIn(form, "factors").split(" ") }
        : {};
      return page(shown(ctx.state, { to, name, failure, ...again }), { status: failure.status });
    }
  },
});

/** A form would be a dead end: no account has a name and a password that it takes. */
function NobodyYet() {
  return (
    <AuthLayout title={t("access.no_users")}>
      <p>{t("access.no_users_what")}</p>
      <p class="sign-in-command">
        <code>{SETUP_COMMAND}</code>
        <CopyText text={SETUP_COMMAND} what={t("access.no_users_command")} />
      </p>
      <p class="text-muted">{t("access.no_users_again")}</p>
      <div class="form-actions">
        <a class="button" href="/sign-in">{t("access.no_users_retry")}</a>
      </div>
    </AuthLayout>
  );
}

/** Signing in. */
export default define.page<typeof handler>(function SignIn({ data, url }) {
  const { to, name, challenge, factors, failure, empty } = data;
  if (empty && challenge === null) return <NobodyYet />;
  const takesCode = factors.includes("code"), takesPasskey = factors.includes("passkey");
  const hasName = hasHostName(url);
  return (
    <AuthLayout title={t("access.sign_in")} failure={failure}>
      {challenge !== null && (
        <p>
          {takesPasskey
            ? t(takesCode ? "access.passkey_or_code_what" : "access.passkey_what")
            : t("access.code_what")}
        </p>
      )}
      {takesPasskey && !hasName && (
        <p class="text-muted">{t("access.passkey_needs_name", { place: localhostOf(url) })}</p>
      )}
      {(challenge === null || takesCode) && (
        <form method="post" action="/sign-in">
          <input type="hidden" name="to" value={to} />
          {challenge === null
            ? (
              <div class="form-grid">
                <TextField
                  label={t("access.name")}
                  name="name"
                  autocomplete="username"
                  autocapitalize="none"
                  required
                  maxLength={64}
                  defaultValue={name}
                  autofocus={name === ""}
                />
                <CurrentPasswordField
                  label={t("access.password")}
                  autofocus={name !== ""}
                  again={failure !== null}
                  after={<ShowPassword />}
                />
              </div>
            )
            : (
              <div class="form-grid">
                <input type="hidden" name="challenge" value={challenge} />
                <input type="hidden" name="factors" value={factors.join(" ")} />
                <TextField
                  label={t("access.code")}
                  hint={t("access.code_hint")}
                  name="code"
                  autocomplete="one-time-code"
                  required
                  maxLength={64}
                  autofocus
                />
              </div>
            )}
          <div class="form-actions">
            <button type="submit" class="button primary">
              {challenge === null ? t("access.sign_in") : t("access.confirm")}
            </button>
          </div>
        </form>
      )}
      {hasName && (challenge === null || takesPasskey) && (
        <PasskeySignIn to={to} challenge={challenge} primary={challenge !== null && !takesCode} />
      )}
      {challenge !== null && (
        <div class="form-actions">
          <a class="button" href="/sign-in">{t("access.again")}</a>
        </div>
      )}
    </AuthLayout>
  );
});
