"""What differs from system to system: tray, idle time, autostart, appearance, notifications, dialogs."""
