<?php

declare(strict_types=1);

namespace SavePage;

use InvalidArgumentException;

/** Signatures of callbacks. */
final class Webhook
{
    /** Seconds by which the timestamp of a callback may differ from this machine's clock. */
    private const TOLERANCE = 300;

    /**
     * Checks the webhook- headers (Standard Webhooks) of a callback. Throws InvalidArgumentException for a secret that is none.
     *
     * @param list<string> $secrets all secrets that are valid now
     * @param array<string, string> $headers such as getallheaders()
     * @param string $body the raw body, from php://input
     * @param int|null $now Unix seconds; null for the time of this machine
     */
    public static function verify(array $secrets, array $headers, string $body, ?int $now = null): bool
    {
        $keys = array_map(self::key(...), $secrets);
        $headers = array_change_key_case($headers, CASE_LOWER);
        $id = $headers['webhook-id'] ?? '';
        $timestamp = $headers['webhook-timestamp'] ?? '';
        if ($id === '' || !ctype_digit($timestamp) || abs(($now ?? time()) - (int) $timestamp) > self::TOLERANCE) {
            return false;
        }
        foreach ($keys as $key) {
            $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
            foreach (explode(' ', $headers['webhook-signature'] ?? '') as $one) {
                if (hash_equals($want, $one)) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Checks X-Signature, which has no timestamp. Prefer verify. Throws InvalidArgumentException for a secret that is none.
     *
     * @param list<string> $secrets all secrets that are valid now
     */
    public static function verifySignature(array $secrets, string $signature, string $body): bool
    {
        array_map(self::key(...), $secrets);
        foreach ($secrets as $secret) {
            if (hash_equals(hash_hmac('sha256', $body, $secret), $signature)) {
                return true;
            }
        }
        return false;
    }

    /** The bytes that a secret encodes. An empty key would let anybody sign. */
    private static function key(string $secret): string
    {
        $key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, strlen('whsec_')), true) : false;
        if ($key === false || $key === '') {
            throw new InvalidArgumentException('the webhook secret is not "whsec_" and base64');
        }
        return $key;
    }
}
