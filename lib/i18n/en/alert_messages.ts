/** Messages about alerts: mail, chat, phones. */
export const alertMessages = {
  "alert_messages.resolved": "Resolved",
  "alert_messages.is_resolved": "Resolved: {what}",
  "alert_messages.nothing": "Nothing",
  "alert_messages.others": "{what} and {n} more",
  "alert_messages.more": "… and {n} more. The page Alerts has them all.",
  "alert_messages.test_title": "Test message ({host})",
  "alert_messages.test": "This is a test. Alerts of KVM Manager arrive here.",
} as const;
