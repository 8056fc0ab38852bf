/** Loaded before a server (`--import`): tells whoever started it how much CPU time it has used. */
process.on('message', () => process.send?.(process.cpuUsage()));
process.channel?.unref();
