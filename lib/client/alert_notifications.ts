/**
 * Alerts as notifications of the device, where a person has asked this browser for them. They come from the page's event
 * stream, which brings what its reader may see; one of the open pages shows them, also in the background.
 */
import type { AlertIncident } from "../contract/mod.ts";
import { aboutWord, incidentAnchor } from "../alerts/about.ts";
import { alertName } from "../alerts/name.ts";
import { oneLine } from "../text/text.ts";
import { base } from "./base.ts";
import { cookieOf, keep } from "./preferences.ts";

/** Whether a browser shows alerts, or why it does not. `dismissed`: its question was closed without an answer. */
export type NotificationState = "on" | "off" | "denied" | "dismissed" | "insecure" | "unsupported";

const CHOICE = "notifications";
/** Name of the lock that the page holds which shows notifications. */
const LOCK = "kvmm.notifications";
/** Longest text; systems show less. */
const LONGEST = 300;

/** Whether notifications are on here, or why not. */
export function notificationState(): NotificationState {
  if (!isSecureContext) return "insecure";
  if (!("Notification" in globalThis) || !("serviceWorker" in navigator)) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const isChosen = cookieOf(document.cookie, CHOICE) === "on";
  return isChosen && Notification.permission === "granted" ? "on" : "off";
}

/** Asks the browser for notifications; called by a click, as browsers want it. @returns what came of it */
export async function turnOn(): Promise<NotificationState> {
  const state = notificationState();
  if (state === "insecure" || state === "unsupported") return state;
  const answer = await Notification.requestPermission();
  if (answer === "default") return "dismissed";
  if (answer === "granted") {
    await worker();
    keep(CHOICE, "on");
  }
  return notificationState();
}

/** Shows none any more in this browser. */
export function turnOff(): void {
  keep(CHOICE, "off");
}

let isShower = false;

/** Whether this page is the one that shows notifications: then it goes on listening in the background. */
export const showsNotifications = (): boolean => isShower && notificationState() === "on";

/**
 * Waits, if notifications are on, until no other page of this browser shows them, then shows them as long as it is open.
 *
 * @param onHere called once it is this page's turn
 */
export async function showFromHere(onHere: () => void): Promise<void> {
  if (isShower || notificationState() !== "on") return;
  await navigator.locks.request(LOCK, { mode: "exclusive" }, () => {
    isShower = true;
    onHere();
    return new Promise<never>(() => {}); // held until the page is gone
  });
}

/** Shows an alert. `more`: how many others fired with it. @throws {Error} where the browser refuses */
export async function notifyAlert(incident: AlertIncident, more: number): Promise<void> {
  if (!showsNotifications()) return;
  const { alertId, message, id } = incident, name = alertName(alertId, incident.name);
  const others = more > 0 ? ` (+${more})` : "";
  await (await worker()).showNotification(`${aboutWord(incident)}: ${oneLine(name, 100)}${others}`, {
    body: oneLine(message, LONGEST),
    tag: id,
    icon: `${base()}/icons/any-192.png`,
    lang: document.documentElement.lang,
    data: `./alerts#${incidentAnchor(id)}`,
  });
}

/** The service worker that shows them: phones let pages show none without one. @throws {Error} */
async function worker(): Promise<ServiceWorkerRegistration> {
  await navigator.serviceWorker.register(`${base()}/notifications.js`);
  return await navigator.serviceWorker.ready;
}
