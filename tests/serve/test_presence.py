"""Who has gone away is told once, also where nobody listened yet."""

from lighten.serve.presence import Presence


def test_leaving_is_told_to_who_listens() -> None:
    presence, heard = Presence(), []
    presence.on_leave(lambda: heard.append(1))
    assert not presence.gone and not heard
    presence.leave()
    assert presence.gone and heard == [1]


def test_leaving_before_anybody_listens_is_not_lost() -> None:
    presence, heard = Presence(), []
    presence.leave()
    presence.on_leave(lambda: heard.append(1))
    assert heard == [1]


def test_nobody_hears_once_it_is_over() -> None:
    presence, heard = Presence(), []
    presence.on_leave(lambda: heard.append(1))
    presence.on_leave(None)
    presence.leave()
    assert not heard


def test_somebody_beside_hears_of_it_for_a_while() -> None:
    presence, heard = Presence(), list[str]()
    presence.on_leave(lambda: heard.append("first"))
    with presence.told(lambda: heard.append("never")):
        pass
    with presence.told(lambda: heard.append("beside")):
        presence.leave()
    with presence.told(lambda: heard.append("late")):
        assert heard == ["first", "beside", "late"]
