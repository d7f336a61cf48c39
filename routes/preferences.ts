import { HttpError } from "fresh";
import { EXPIRED_PREFERENCE, LANGUAGE_COOKIE, PREFERENCE } from "../lib/client/preferences.ts";
import { returnPath } from "../lib/text/return_path.ts";
import { locales } from "../lib/i18n/locale.ts";
import { t } from "../lib/i18n/mod.ts";
import { BROWSER_LANGUAGE } from "../lib/i18n/languages.ts";
import { define, THEMES } from "../lib/page_state.ts";
import { fail } from "./(_shared)/fail.ts";
import { postedForm } from "./(_shared)/form.ts";

/** Preference → the values it may have. */
const VALUES: Readonly<Record<string, () => readonly string[]>> = {
  theme: () => THEMES,
  sidebar: () => ["open", "folded"],
  [LANGUAGE_COOKIE]: () => [...locales(), BROWSER_LANGUAGE],
};

/** The page a form was on; the referrer may be withheld, or be another site's. */
function pageBefore(req: Request, here: URL, base: string): string {
  const referrer = URL.parse(req.headers.get("referer") ?? "");
  if (referrer?.host !== here.host || !referrer.pathname.startsWith(`${base}/`)) return "/";
  return returnPath(referrer.pathname.slice(base.length) + referrer.search);
}

/** Keeps preferences, for pages without script. */
export const handler = define.handlers({
  async POST(ctx) {
    const form = await postedForm(ctx.req);
    const response = ctx.redirect(pageBefore(ctx.req, ctx.url, ctx.state.base), 303);
    for (const [name, value] of new Map(form)) {
      const known = Object.hasOwn(VALUES, name) ? VALUES[name]!() : undefined;
      if (typeof value !== "string" || !known?.includes(value)) throw new HttpError(400, t("error.form"));
      // The language goes with the account, to other browsers, too
      if (name === LANGUAGE_COOKIE && ctx.state.user?.hasAccount) {
        await ctx.state.api.setLanguage({ language: value }).catch(fail);
      }
      const attributes = value === BROWSER_LANGUAGE ? EXPIRED_PREFERENCE : PREFERENCE;
      response.headers.append("set-cookie", `${name}=${value}; ${attributes}`);
    }
    return response;
  },
});
