'use strict';
/*
 * s3rver (npm, its maintained fork) behind MinIO's command line, environment, port, TLS and health pages, for nodes whose repos have no package of an
 * S3 server. It keeps objects in the first of its own drives and knows nothing of other members, policies, versioning or locks;
 * what it lacks it refuses as S3 does. Users besides root: S3_KEYS="key:secret ..." in the environment.
 */
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const S3rver = require('@20minutes/s3rver');
const S3Error = require('@20minutes/s3rver/lib/models/error');
const { DUMMY_ACCOUNT: everyone } = require('@20minutes/s3rver/lib/models/account');

/* server --address :9000 --console-address :9001 --certs-dir DIR VOLUME... */
function options(argv) {
	const o = { address: ':9000', 'console-address': ':9001', 'certs-dir': '', volumes: [] };
	if (argv.shift() !== 'server') throw new Error('usage: minio server [--address A] [--console-address A] [--certs-dir DIR] VOLUME...');
	while (argv.length) {
		const word = argv.shift();
		const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) || [];
		if (!name) o.volumes.push(word);
		else if (name in o && name !== 'volumes') o[name] = value === undefined ? argv.shift() : value;
		else throw new Error(`unknown option ${word}`);
	}
	if (!o.volumes.length) throw new Error('no volume is named');
	return o;
}

const port = address => Number(address.slice(address.lastIndexOf(':') + 1));
const host = address => address.slice(0, address.lastIndexOf(':')) || '::';
/* "https://minio-{1...4}.pigsty:9000/data{1...2}" is /data1 here */
const drive = volume => volume.replace(/^https?:\/\/[^/]*/, '').replace(/\{([0-9a-z]+)\.\.\.[0-9a-z]+\}/g, '$1');

function tls(dir) {
	const key = path.join(dir, 'private.key'), cert = path.join(dir, 'public.crt');
	return dir && fs.existsSync(key) && fs.existsSync(cert) ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
}

function keys() {
	const { MINIO_ROOT_USER: user, MINIO_ROOT_PASSWORD: secret, S3_KEYS: more = '' } = process.env;
	if (!user || !secret) throw new Error('MINIO_ROOT_USER and MINIO_ROOT_PASSWORD are not set');
	everyone.revokeAccessKey('S3RVER');
	everyone.createKeyPair(user, secret);
	for (const pair of more.split(/\s+/).filter(Boolean)) everyone.createKeyPair(...pair.split(/:(.*)/s));
}

/* ---- signatures: s3rver takes unsigned requests, and rebuilds the path it signs, which loses a bucket's final slash ---- */

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
const encode = s => encodeURIComponent(s).replace(/[!'()*]/g, c => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const decode = s => { try { return decodeURIComponent(s); } catch { return s; } };

function parts(ctx) {
	const q = ctx.query;
	if (q['X-Amz-Signature'])
		return { credential: q['X-Amz-Credential'], names: q['X-Amz-SignedHeaders'], signature: q['X-Amz-Signature'],
			date: q['X-Amz-Date'], lives: Number(q['X-Amz-Expires']) || 0, hash: 'UNSIGNED-PAYLOAD' };
	const m = /^AWS4-HMAC-SHA256 *Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})$/.exec(ctx.headers.authorization || '');
	return m && { credential: m[1], names: m[2], signature: m[3], date: ctx.headers['x-amz-date'] || '', lives: 900,
		hash: ctx.headers['x-amz-content-sha256'] || 'UNSIGNED-PAYLOAD' };
}

function verify(ctx) {
	const p = parts(ctx);
	if (!p) throw new S3Error('AccessDenied', 'Access Denied');
	const [access, day, region, service, end] = p.credential.split('/');
	const secret = everyone.accessKeys.get(access);
	if (!secret) throw new S3Error('InvalidAccessKeyId', 'The access key is not known.');
	const at = Date.parse(p.date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
	if (!(Date.now() - at < p.lives * 1000 && at - Date.now() < 900000))
		throw new S3Error('RequestTimeTooSkewed', 'The request is too old, or of the future.');
	const [path, query = ''] = ctx.req.url.split(/\?(.*)/s);
	const canonical = [
		ctx.method, path.split('/').map(s => encode(decode(s))).join('/'),
		query.split('&').filter(s => s && !s.startsWith('X-Amz-Signature='))
			.map(s => s.split(/=(.*)/s)).map(([k, v = '']) => `${encode(decode(k))}=${encode(decode(v))}`).sort().join('&'),
		...p.names.split(';').map(n => `${n}:${(ctx.headers[n] || '').trim().replace(/ +/g, ' ')}`), '', p.names, p.hash,
	].join('\n');
	const scope = [day, region, service, end].join('/');
	const key = [day, region, service, 'aws4_request'].reduce(hmac, 'AWS4' + secret);
	const text = ['AWS4-HMAC-SHA256', p.date, scope, crypto.createHash('sha256').update(canonical).digest('hex')].join('\n');
	if (hmac(key, text).toString('hex') !== p.signature)
		throw new S3Error('SignatureDoesNotMatch', 'The signature is not the one that key makes.');
}

/* What MinIO answers without a signature, and what S3 says of a part it lacks. */
async function minio(ctx, next) {
	if (ctx.method === 'GET' && ctx.path === '/minio/metrics/v3') {
		ctx.type = 'text/plain; version=0.0.4';
		ctx.body = '# TYPE minio_cluster_health_status gauge\nminio_cluster_health_status 1\n' +
			`# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes ${process.memoryUsage().rss}\n`;
	} else if (/^\/minio\/health\/(live|ready|cluster)$/.test(ctx.path)) {
		ctx.status = 200;
		ctx.body = '';
	} else {
		verify(ctx);
		if (ctx.path.split('/').length < 4 && ('versioning' in ctx.query || 'object-lock' in ctx.query))
			throw new S3Error('NotImplemented', 'A parameter you provided implies functionality that is not implemented');
		/* s3rver need not look again, except where each piece of the body is signed */
		if (!/^STREAMING-/.test(ctx.headers['x-amz-content-sha256'] || '')) delete ctx.headers.authorization;
		await next();
	}
}

async function main() {
	const o = options(process.argv.slice(2)), certs = tls(o['certs-dir']), directory = drive(o.volumes[0]);
	keys();
	const app = new S3rver({ address: host(o.address), port: port(o.address), directory, silent: true, vhostBuckets: false, ...certs });
	app.middleware.unshift(minio);
	await app.run();
	const page = (req, res) => res.end('This S3 server has no console.\n');
	(certs.key ? https.createServer(certs, page) : http.createServer(page)).listen(port(o['console-address']), host(o['console-address']));
	console.log(`serving S3 on ${o.address}${certs.key ? ' with TLS' : ''}, objects in ${directory}`);
	for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
}
main().catch(e => {
	console.error(`minio: ${e.message}`);
	process.exit(1);
});
