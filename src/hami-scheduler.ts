#!/nodejs/bin/node
/** `scheduler` in the image, where HAMi's chart looks for it: every word goes on to `tessera hami-scheduler`. */
process.argv.splice(2, 0, 'hami-scheduler');
await import('./main.ts');
