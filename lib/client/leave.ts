/** Going to another page after something was done, from a script. */
import { type Notice, noticeCookie } from "../text/notice.ts";
import { based } from "./base.ts";

/** Goes to another page, which says what was done: as after a form that the browser sent. */
export function leave(path: string, notice: Omit<Notice, "is">): void {
  document.cookie = noticeCookie({ is: "done", ...notice });
  location.assign(based(path));
}
