"""The methods of a store that explain, check and mend its own BM25."""

from __future__ import annotations

from hybridge.errors import InvalidInputError
from hybridge.store.checking import check_bm25
from hybridge.store.live_bm25 import LiveBM25
from hybridge.store.read_methods import ReadMethods
from hybridge.store.reencoding import reencode
from hybridge.store.session import Known
from hybridge.store.threads import async_twin
from hybridge.store.validation import valid_ids
from hybridge.store.writing import live_bm25


class BM25Methods(ReadMethods):
    """What `MilvusStore` says of its own BM25, sync and async."""

    def explain(self, query: str, id: str) -> dict[str, float]:
        """Return what each term of a query adds to the BM25 score of a row, largest first.

        The terms are those that the analyzer makes; their sum is `hit.scores["sparse"].score`.

        Raises:
            InvalidInputError: If there is no such row, or the store has no BM25 of its own.
        """
        with self._session.entered() as known:
            bm25 = self._bm25(known)
            records = [] if known is None else self._read(valid_ids([id]), known)
            if not records:
                msg = f"there is no row {id!r:.80} to explain"
                raise InvalidInputError(msg)
            return bm25.explain(query, records[0].text)

    def check(self) -> list[str]:
        """Count the live rows afresh and return what differs from what BM25 keeps.

        Returns:
            A sentence per difference, each naming the method that mends it; [] if all is well.
        """
        with self._session.entered() as known:
            return check_bm25(self._session.collection(), self._bm25(known))

    def rebuild_statistics(self) -> None:
        """Put a fresh count of the live rows in the place of the BM25 statistics."""
        with self._session.entered() as known:
            self._bm25(known).recount()

    def reencode_sparse(self, *, progress: bool = False) -> int:
        """Weigh every document by the true average length; goes on where it was interrupted.

        Collections of up to 10,000 documents do this by themselves.

        Args:
            progress: Whether to show a progress bar.

        Returns:
            How many rows were written.
        """
        with self._session.entered() as known:
            return reencode(self._session.collection(), self._bm25(known), progress=progress)

    @staticmethod
    def _bm25(known: Known | None) -> LiveBM25:
        bm25 = None if known is None else live_bm25(known.legs)
        if bm25 is None:
            msg = (
                "this store has no BM25 of its own: it has no rows yet, or another sparse function"
            )
            raise InvalidInputError(msg)
        return bm25

    aexplain = async_twin(explain)
    acheck = async_twin(check)
    arebuild_statistics = async_twin(rebuild_statistics)
    areencode_sparse = async_twin(reencode_sparse)
