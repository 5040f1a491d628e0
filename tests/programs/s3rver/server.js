// A real server that speaks S3, on an ephemeral port of 127.0.0.1, which it prints. It ends with its standard input.
'use strict';
const S3rver = require('s3rver');

const [directory, bucket] = process.argv.slice(2);
const server = new S3rver({
        address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: bucket }],
});
server.run().then(({ port }) => console.log(port));
process.stdin.on('end', () => process.exit(0)).resume();
