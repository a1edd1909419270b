<?php

declare(strict_types=1);

namespace SavePage;

use RuntimeException;

/** The server could not be reached, or it did not answer in time. Whether it has done what was asked is not known. */
final class ConnectionException extends RuntimeException
{
}
