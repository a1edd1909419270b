<?php

declare(strict_types=1);

namespace SavePage;

use InvalidArgumentException;

/** Signed links to pictures. */
final class Link
{
    /**
     * Returns a link that answers with the picture and needs no key, for an <img>. The secret is a link secret of the account. Make
     * links on your server: whoever has the secret can sign any capture. Throws InvalidArgumentException for a secret that is none.
     *
     * @param array<string, mixed> $options
     * @param int|null $expires Unix seconds from which the link is refused; null for never
     */
    public static function sign(string $baseUrl, string $secret, array $options, ?int $expires = null): string
    {
        if (!preg_match('/^(lnk_[0-9A-Za-z]{12})_[0-9A-Za-z]{32}$/D', $secret, $found)) {
            throw new InvalidArgumentException('the link secret is not "lnk_", 12 letters or digits, "_" and 32 letters or digits');
        }
        ksort($options, SORT_STRING);
        $pairs = [];
        foreach ($options as $name => $value) {
            foreach (self::texts($value) as $text) {
                $pairs[] = urlencode((string) $name) . '=' . urlencode($text);
            }
        }
        if ($expires !== null) {
            $pairs[] = "exp=$expires";
        }
        $query = implode('&', $pairs);
        return rtrim($baseUrl, '/') . "/v1/image?$query&sig={$found[1]}." . hash_hmac('sha256', $query, $secret);
    }

    /**
     * The values of a parameter: a list of texts is given one by one, everything else at once.
     *
     * @return list<string>
     */
    private static function texts(mixed $value): array
    {
        if ($value === null) {
            return [];
        }
        $several = is_array($value) && array_is_list($value) && array_filter($value, 'is_string') === $value;
        $text = static fn (mixed $one): string => is_string($one) ? $one : Client::json($one);
        return array_map($text, $several ? $value : [$value]);
    }
}
