"""`hybridge reindex`: BM25 brought to what the rows and today's analyzer say."""

from __future__ import annotations

from hybridge.cli.check import counts, find_faults
from hybridge.cli.options import COLLECTION, Collection, Json, Uri
from hybridge.cli.output import is_watched, show
from hybridge.cli.stores import Place
from hybridge.errors import InvalidInputError


def reindex(uri: Uri = None, collection: Collection = COLLECTION, json: Json = False) -> None:
    """Mend what `hybridge check` finds.

    BM25 gets the terms of the analyzer that is installed, and counts, where these are others; rows
    are weighed anew by the true average length. Nothing is embedded. Others may read and write, and
    a run that was interrupted is gone on with by the next.
    """
    place = Place(uri, collection)
    with place.reading() as store:
        if not counts(store):
            msg = f"{collection!r} has no BM25 of the store's own: there is nothing to reindex"
            raise InvalidInputError(msg)
        progress = is_watched()
        reindexed = store.reindex_sparse(progress=progress)
        if recounted := any("rebuild_statistics" in one for one in find_faults(store)):
            store.rebuild_statistics()
        reweighted = store.reencode_sparse(progress=progress)
    done = {"reindexed": reindexed, "recounted": recounted, "reweighted": reweighted}
    told = (
        f"{reindexed:,} rows indexed anew, {reweighted:,} weighed anew, "
        f"statistics {'counted anew' if recounted else 'as they were'}"
    )
    show({**place.to_json(), **done}, [told], as_json=json)
